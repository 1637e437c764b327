//! Addresses of electronic mail, as a recipient's copy needs them (R77).
//!
//! The form is the `dot-atom @ domain` of RFC 5322 section 3.4.1 in plain ASCII, within the lengths of RFC 5321 section
//! 4.5.3.1: what every official mailbox has. Quoted local parts, comments and address literals are refused. Whether
//! somebody reads it is for the mail server to say.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A mailbox, e.g. `vanthu@noivu.dienbien.gov.vn`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is no address of the form above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address of the form name@office.example")]
pub struct NotAnEmailAddress;

impl EmailAddress {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for EmailAddress {
    type Err = NotAnEmailAddress;

    fn from_str(text: &str) -> Result<Self, NotAnEmailAddress> {
        let (local, domain) = text.split_once('@').ok_or(NotAnEmailAddress)?;
        let dotted = |text: &str, atom: fn(&str) -> bool| text.split('.').all(atom);
        let fits = local.len() <= 64 && text.len() <= 254;
        if fits && dotted(local, is_atom) && dotted(domain, is_label) && domain.contains('.') {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnEmailAddress)
        }
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = NotAnEmailAddress;

    fn try_from(text: String) -> Result<Self, NotAnEmailAddress> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `atext`, RFC 5322 section 3.2.3.
fn is_atom(text: &str) -> bool {
    let special = |byte| b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || special(byte))
}

/// A host name's label, RFC 1123 section 2.1.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn official_mailboxes_are_taken_and_nothing_that_a_header_could_be_hidden_in() {
        for good in ["vanthu@noivu.dienbien.gov.vn", "a.b+c@x.vn", "550@so-noi-vu.example"] {
            assert_eq!(good.parse::<EmailAddress>().map(|address| address.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "@x.vn",
            "a@",
            "a@localhost",
            "a@@x.vn",
            "a b@x.vn",
            "a@x.vn\r\nBcc: b@x.vn",
            "Tên <a@x.vn>",
            "\"a\"@x.vn",
            "a@[127.0.0.1]",
            "a.@x.vn",
            "a@-x.vn",
            "a@x..vn",
            "văn@x.vn",
        ] {
            assert_eq!(bad.parse::<EmailAddress>(), Err(NotAnEmailAddress), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_one_plain_word(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert!(address.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!address.as_str().contains(['<', '>', ',', ';', '"', '(', ')', '\\']));
            }
        }
    }
}
