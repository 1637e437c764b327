//! What waits for me. The inbox is the truth; a push is only a hint to look.

use std::fmt::Write as _;

use trinhky_protos::document::{DocumentView, DocumentsView};

use crate::error::Error;
use crate::session::Session;

/// A page of documents that wait for this person, urgent ones first.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// The page.
    pub documents: Vec<DocumentView>,
    /// Give it to [`Session::inbox`] for the next page.
    pub next: Option<String>,
}

impl Session {
    /// A page of the inbox: the first, or the one after `cursor`.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Refused`], [`Error::Unreadable`].
    pub async fn inbox(&self, cursor: Option<&str>) -> Result<Inbox, Error> {
        let path = match cursor {
            Some(cursor) => format!("/v1/inbox?cursor={}", percent_encoded(cursor)),
            None => "/v1/inbox".to_owned(),
        };
        let DocumentsView { documents, next } = self.server.get("the inbox", path).await?;
        Ok(Inbox { documents, next })
    }
}

/// RFC 3986 section 2: everything but unreserved characters is encoded.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_cannot_add_parameters() {
        assert_eq!(percent_encoded("a&b=c d%/é~"), "a%26b%3Dc%20d%25%2F%C3%A9~");
    }
}
