//! What waits for me. The inbox is the truth; a push is only a hint to look.

use std::fmt::Write as _;

use trinhky_protos::document::{DocumentView, DocumentsView};

use crate::api::Server;
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

impl Server {
    /// Every document in these states (comma-separated) that this person has a part in, page after page, up to `most`;
    /// and whether there are more.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Refused`], [`Error::Unreadable`], also if the pages go round in a circle.
    pub async fn documents_in(&self, states: &str, most: usize) -> Result<(Vec<DocumentView>, bool), Error> {
        let first = format!("/v1/documents?state={}", percent_encoded(states));
        let mut all: Vec<DocumentView> = Vec::new();
        let mut seen: Option<String> = None;
        loop {
            let path = match &seen {
                Some(cursor) => format!("{first}&cursor={}", percent_encoded(cursor)),
                None => first.clone(),
            };
            let DocumentsView { documents, next } = self.get("the documents", path).await?;
            all.extend(documents);
            match next {
                _ if all.len() > most => {
                    all.truncate(most);
                    return Ok((all, true));
                }
                None => return Ok((all, false)),
                // A page may be empty: the server chooses by state after it has cut the page.
                Some(next) if seen.as_ref() == Some(&next) => {
                    let why = format!("the page after {next:?} leads nowhere");
                    return Err(Error::Unreadable { asked: "the documents", why });
                }
                Some(next) => seen = Some(next),
            }
        }
    }
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
    use crate::testing::Bench;

    #[tokio::test]
    async fn every_page_is_read_and_no_circle_is_followed() {
        let bench = Bench::new().await;
        let documents = |count: usize| vec![bench.document(&[("main", b"x")]); count];
        let page = |count, next: Option<&str>| DocumentsView {
            documents: documents(count),
            next: next.map(Into::into),
        };
        bench
            .server
            .json(200, &page(2, Some("a/1")))
            .json(200, &page(2, Some("b")))
            .json(200, &page(1, None));
        let (all, more) = bench.session.server.documents_in("sealing", 100).await.unwrap();
        assert_eq!((all.len(), more), (5, false));
        let asked: Vec<_> = bench.server.asked().into_iter().map(|request| request.path).collect();
        let first = "/v1/documents?state=sealing";
        assert_eq!(asked, [first.to_owned(), format!("{first}&cursor=a%2F1"), format!("{first}&cursor=b")]);

        bench.server.json(200, &page(2, Some("a"))).json(200, &page(2, Some("b")));
        let (all, more) = bench.session.server.documents_in("sealing", 3).await.unwrap();
        assert_eq!((all.len(), more), (3, true));
        bench.server.asked();
        bench.server.json(200, &page(1, Some("a"))).json(200, &page(1, Some("a")));
        bench.session.server.documents_in("sealing", 100).await.unwrap_err();
        bench.server.json(200, &page(0, Some("a"))).json(200, &page(1, None));
        let (all, more) = bench.session.server.documents_in("sealing", 100).await.unwrap();
        assert_eq!((all.len(), more), (1, false));
    }

    #[test]
    fn a_cursor_cannot_add_parameters() {
        assert_eq!(percent_encoded("a&b=c d%/é~"), "a%26b%3Dc%20d%25%2F%C3%A9~");
    }
}
