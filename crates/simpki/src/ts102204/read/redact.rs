//! Takes the password and telephone numbers out of a text before it may reach a log.
//!
//! Responses echo `AP_PWD`, and broken bodies are the ones that get logged; so this works on any text,
//! well-formed or not, and errs on the side of taking out too much.

/// The text without attribute values of `AP_PWD` and with digits of long numbers hidden.
pub fn redact(text: &str) -> String {
    hide_numbers(&hide_password(text))
}

fn hide_password(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_ignoring_case(rest, NAME) {
        let (before, from) = rest.split_at(at + NAME.len());
        kept.push_str(before);
        kept.push_str("=\"…\"");
        rest = after_value(from);
    }
    kept.push_str(rest);
    kept
}

/// Skips `="value"`, `:"value"`, `">value<` and whatever else follows the name, up to the value's end, with the quote that
/// closes it: what [`hide_password`] writes is skipped as a whole the next time.
fn after_value(from: &str) -> &str {
    let value = from
        .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ':' | '>' | '\\'));
    let opening = from.get(..from.len() - value.len()).unwrap_or_default();
    let quote = opening.chars().rev().find(|c| matches!(c, '"' | '\''));
    let end = match quote {
        Some(quote) => value.find([quote, '<']),
        None => value.find(|c: char| c.is_whitespace() || matches!(c, '<' | '&' | ',' | '}')),
    };
    // A value without an end was cut off: nothing after it can be trusted to be something else.
    let rest = end.and_then(|end| value.get(end..)).unwrap_or_default();
    quote.and_then(|quote| rest.strip_prefix(quote)).unwrap_or(rest)
}

fn find_ignoring_case(text: &str, name: &str) -> Option<usize> {
    let (text, name) = (text.as_bytes(), name.as_bytes());
    text.windows(name.len()).position(|window| window.eq_ignore_ascii_case(name))
}

fn hide_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            run.push(c);
            continue;
        }
        flush(&mut kept, &run);
        run.clear();
        kept.push(c);
    }
    flush(&mut kept, &run);
    kept
}

fn flush(kept: &mut String, run: &str) {
    match run.get(run.len().saturating_sub(3)..) {
        Some(tail) if run.len() >= NUMBER_DIGITS => {
            kept.push('…');
            kept.push_str(tail);
        }
        _ => kept.push_str(run),
    }
}

const NAME: &str = "AP_PWD";
const NUMBER_DIGITS: usize = 9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn passwords_and_numbers_are_hidden_in_every_form() {
        for (raw, shown) in [
            (
                r#"<a AP_ID="x" AP_PWD="geheim" AP_TransID="T1"/>"#,
                r#"<a AP_ID="x" AP_PWD="…" AP_TransID="T1"/>"#,
            ),
            ("<a ap_pwd = 'geheim'/>", "<a ap_pwd=\"…\"/>"),
            (r#"<a AP_PWD="it's geheim" b="1"/>"#, r#"<a AP_PWD="…" b="1"/>"#),
            (r#"{"AP_PWD":"geheim","b":1}"#, r#"{"AP_PWD="…","b":1}"#),
            ("<AP_PWD>geheim</AP_PWD>", "<AP_PWD=\"…\"</AP_PWD=\"…\""),
            ("AP_PWD=\"cut off geheim", "AP_PWD=\"…\""),
            ("AP_PWD=geheim next", "AP_PWD=\"…\" next"),
            ("84900000001 +84900000001 2025-03-05", "…001 +…001 2025-03-05"),
        ] {
            assert_eq!(redact(raw), shown);
            assert_eq!(redact(shown), shown, "once is enough");
        }
    }

    proptest! {
        #[test]
        fn a_quoted_password_never_survives(before in "\\PC{0,40}", after in "\\PC{0,40}", password in "[a-z]{12}") {
            let raw = format!("{before}AP_PWD=\"{password}\"{after}");
            prop_assume!(!before.contains(&password) && !after.contains(&password));
            prop_assert!(!redact(&raw).contains(&password));
        }

        #[test]
        fn what_is_hidden_stays_as_it_is(parts in prop::collection::vec("ap_pwd|AP_PWD|[=:\"'<>&,} \\\\]|[0-9]{8,12}|\\PC{0,9}", 0..12)) {
            let once = redact(&parts.concat());
            prop_assert_eq!(redact(&once), once);
        }
    }
}
