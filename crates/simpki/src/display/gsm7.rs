//! Septets of the GSM 7-bit default alphabet (3GPP TS 23.038 section 6.2.1), with its extension table.
//!
//! A basic character is one septet, one of the extension table two (an escape and the character). A single
//! character of neither turns the whole message to UCS-2; here it is refused instead.

/// A character outside GSM-7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not in the GSM 7-bit alphabet: fold the text first")]
pub struct NotGsm7(pub char);

/// How many septets a text takes.
///
/// # Errors
/// [`NotGsm7`] with the first character that has no septet.
pub fn septets(text: &str) -> Result<usize, NotGsm7> {
    text.chars().try_fold(0, |sum, c| {
        if BASIC.contains(c) {
            Ok(sum + 1)
        } else if EXTENSION.contains(c) {
            Ok(sum + 2)
        } else {
            Err(NotGsm7(c))
        }
    })
}

/// 3GPP TS 23.038 section 6.2.1, in the order of the table, without the escape itself.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// 3GPP TS 23.038 section 6.2.1.1.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_127_characters_and_the_escape() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn extension_characters_count_twice() {
        assert_eq!(septets(""), Ok(0));
        assert_eq!(septets("Ky so VB 1. Ma %%VC%%"), Ok(21));
        assert_eq!(septets("[€]"), Ok(6));
        assert_eq!(septets("àèé"), Ok(3));
    }

    #[test]
    fn other_characters_are_named() {
        assert_eq!(septets("Số"), Err(NotGsm7('ố')));
        assert_eq!(septets("`"), Err(NotGsm7('`')));
    }
}
