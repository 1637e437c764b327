//! Digits out of whatever a service wrote as its code.
//!
//! The standard's form is a qualified name whose local part is `_` and three digits, with an optional four-digit
//! specifier nested below. Real ones lack the prefix, the underscore, or nest a name that is none; so
//! the prefix binding is ignored and the digits after the last `:` and any `_` are read.

use crate::reply::Code;

/// The number a value ends in, if it is nothing but digits after its prefix.
pub(super) fn number(value: &str) -> Option<u16> {
    let local = value.rsplit(':').next().unwrap_or(value).trim();
    let digits = local.trim_start_matches('_');
    let plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// The code that a list of nested values means, outermost first.
pub(super) fn code<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Code> {
    let numbers: Vec<u16> = values.into_iter().filter_map(number).collect();
    let specifier = numbers.iter().copied().find(|n| (1000..=9999).contains(n));
    let value = numbers.iter().copied().find(|n| *n < 1000).or(specifier.map(|s| s / 10))?;
    Some(Code { value, specifier })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_seen_in_the_field_is_read() {
        for (spelling, expected) in [
            ("_101", 101),
            ("mss:_208", 208),
            ("fi:1014", 1014),
            (" 502 ", 502),
            ("a:b:_4", 4),
            ("mss:__209", 209),
        ] {
            assert_eq!(number(spelling), Some(expected), "{spelling}");
        }
        for none in ["", "env:Sender", "_", "12a", "-1", "99999", "123456789", "１０１"] {
            assert_eq!(number(none), None, "{none}");
        }
    }

    #[test]
    fn nested_values_give_code_and_specifier() {
        let both = Code { value: 209, specifier: Some(2092) };
        assert_eq!(code(["env:Receiver", "mss:_209", "fi:_2092"]), Some(both));
        assert_eq!(code(["env:Sender", "fi:1014"]), Some(Code { value: 101, specifier: Some(1014) }));
        assert_eq!(code(["env:Sender"]), None);
    }
}
