//! The review: every byte of the bundle is fetched and digested on this device before anyone is asked to decide.
//!
//! [`Reviewed`] is the proof that this was done; only [`Session::review`] makes one. Rendering is the app's part and
//! takes the bytes from here: [`Reviewed::main`] for the document as it stands, [`Reviewed::file`] for the rest.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use trinhky_protos::HexDigest;
use trinhky_protos::document::{BundleFileView, DocumentView, FileRefView};

use crate::bundle::{bundle_digest, check_roles, main_file};
use crate::error::Error;
use crate::fetch::fetch;
use crate::session::Session;

/// A document whose bytes are on this device and are those that its digests name.
#[derive(Clone)]
pub struct Reviewed {
    document: DocumentView,
    head: Arc<Vec<u8>>,
    others: Vec<(BundleFileView, Arc<Vec<u8>>)>,
    bundle: HexDigest,
}

impl std::fmt::Debug for Reviewed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reviewed")
            .field("document", &self.document.id)
            .field("bundle", &self.bundle)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Fetches the whole bundle of a document, digests it, and tells the server that it was opened here.
    ///
    /// After an [`Error::Transport`] call it again: what has arrived is not fetched twice.
    ///
    /// # Errors
    /// [`Error::BaseChanged`] if bytes are not those named, or the newest revision does not begin with the base that
    /// the bundle names; [`Error::Transport`], [`Error::Refused`], [`Error::Unreadable`].
    pub async fn review(&self, document: &str) -> Result<Reviewed, Error> {
        let id: trinhky_protos::ids::DocumentId = document
            .parse()
            .map_err(|_| Error::Unreadable { asked: "the document", why: "its id is not a ULID".into() })?;
        let document: DocumentView = self.server.get("the document", format!("/v1/documents/{id}")).await?;
        check_roles(&document)?;
        let main = main_file(&document)?.clone();
        let wanted: Vec<_> = document.files.iter().map(|f| f.sha256).chain([document.head.sha256]).collect();
        self.shelf.keep_only(&wanted);

        let head = fetch(&self.server, &self.shelf, document.head, &main.name).await?;
        check_extends(&head, document.head.sha256, &main)?;
        let mut others = Vec::with_capacity(document.files.len().saturating_sub(1));
        for file in document.files.iter().filter(|file| file.sha256 != main.sha256 || file.role != main.role)
        {
            let named = FileRefView { sha256: file.sha256, length: file.length };
            let bytes = fetch(&self.server, &self.shelf, named, &file.name).await?;
            others.push((file.clone(), Arc::new(bytes)));
        }
        let bundle = bundle_digest(&document.files);
        self.server
            .act_bare("the read receipt", format!("/v1/documents/{id}/read"), &serde_json::json!({}))
            .await?;
        Ok(Reviewed { document, head: Arc::new(head), others, bundle })
    }
}

impl Reviewed {
    /// The document's data, as shown.
    pub fn document(&self) -> &DocumentView {
        &self.document
    }

    /// The newest revision of the main document: what is rendered and what a signature is appended to.
    pub fn main(&self) -> &Arc<Vec<u8>> {
        &self.head
    }

    /// The attachments and background papers with their bytes, in the bundle's order.
    pub fn others(&self) -> &[(BundleFileView, Arc<Vec<u8>>)] {
        &self.others
    }

    /// The digest over the bundle.
    pub fn bundle(&self) -> HexDigest {
        self.bundle
    }

    /// The newest revision, as digested here.
    pub fn head(&self) -> FileRefView {
        self.document.head
    }
}

/// The bundle names the provisioned base; the head must be that base with revisions behind it, and nothing else.
fn check_extends(head: &[u8], head_digest: HexDigest, main: &BundleFileView) -> Result<(), Error> {
    let found = u64::try_from(head.len()).unwrap_or(u64::MAX);
    let base = usize::try_from(main.length).ok().and_then(|length| head.get(..length)).ok_or_else(|| {
        Error::WrongLength {
            what: format!("the newest revision of {}", main.name),
            expected: main.length,
            found,
        }
    })?;
    // The whole was digested when it was fetched; with no revision behind the base, that was the base.
    if found == main.length && head_digest == main.sha256 {
        return Ok(());
    }
    let digest = HexDigest(Sha256::digest(base).into());
    if digest == main.sha256 {
        Ok(())
    } else {
        let what = format!("the beginning of the newest revision of {}", main.name);
        Err(Error::BaseChanged { what, expected: main.sha256, found: digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Response;
    use crate::testing::Bench;

    fn piece(bytes: &[u8], at: usize, end: usize) -> Response {
        let range = format!("bytes {at}-{}/{}", end - 1, bytes.len());
        Response {
            status: 206,
            headers: vec![("content-range".into(), range)],
            body: bytes[at..end].to_vec(),
        }
    }

    #[tokio::test]
    async fn a_broken_line_loses_one_piece_and_the_next_try_goes_on() {
        let bench = Bench::new().await;
        let bytes: Vec<u8> = (0..(2 << 20) + 5).map(|i: u32| i.to_le_bytes()[1]).collect();
        let document = bench.document(&[("main", &bytes)]);
        bench.server.json(200, &document).then_ok(piece(&bytes, 0, 1 << 20)).breaks().breaks().breaks();
        let error = bench.session.review(&document.id.to_string()).await.unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{error}");
        bench.server.asked();

        bench.server.json(200, &document).then_ok(piece(&bytes, 1 << 20, 2 << 20)).breaks();
        bench.server.then_ok(piece(&bytes, 2 << 20, bytes.len())).json(204, &"");
        let reviewed = bench.session.review(&document.id.to_string()).await.unwrap();
        assert_eq!(**reviewed.main(), bytes);
        let asked = bench.server.asked();
        assert!(asked[1].headers.contains(&("range".into(), "bytes=1048576-2097151".into())));
        assert!(asked.last().unwrap().path.ends_with("/read"));
    }

    #[tokio::test]
    async fn bytes_that_are_not_those_named_are_refused_and_not_kept() {
        let bench = Bench::new().await;
        let document = bench.document(&[("main", b"%PDF-1.7 one")]);
        for _ in 0..2 {
            bench.server.json(200, &document).then_ok(piece(b"%PDF-1.7 two", 0, 12));
            let error = bench.session.review(&document.id.to_string()).await.unwrap_err();
            assert!(
                matches!(&error, Error::BaseChanged { expected, .. } if *expected == document.head.sha256),
                "{error}"
            );
            let crate::CoreError::DoNotSign(told) = error.into() else { panic!("must not be signed") };
            assert_eq!(told.code, "base_changed");
        }
    }

    #[tokio::test]
    async fn an_attachment_is_fetched_and_digested_too() {
        let bench = Bench::new().await;
        let document = bench.document(&[("main", b"%PDF-1.7 main"), ("attachment", b"%PDF-1.7 annex")]);
        bench.server.json(200, &document).then_ok(piece(b"%PDF-1.7 main", 0, 13)).then_ok(piece(
            b"%PDF-1.7 xnnex",
            0,
            14,
        ));
        let error = bench.session.review(&document.id.to_string()).await.unwrap_err();
        assert!(matches!(error, Error::BaseChanged { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_head_that_does_not_begin_with_the_base_is_refused() {
        let bench = Bench::new().await;
        let mut document = bench.document(&[("main", b"%PDF-1.7 base")]);
        let head = b"%PDF-1.7 BASE and a revision";
        document.head =
            FileRefView { sha256: HexDigest(Sha256::digest(head).into()), length: head.len() as u64 };
        bench.server.json(200, &document).then_ok(piece(head, 0, head.len()));
        let error = bench.session.review(&document.id.to_string()).await.unwrap_err();
        assert!(matches!(error, Error::BaseChanged { .. }), "{error}");
    }

    #[tokio::test]
    async fn lengths_ranges_and_roles_are_held_to_their_word() {
        let bench = Bench::new().await;
        let bytes = b"%PDF-1.7 one";
        let document = bench.document(&[("main", bytes)]);
        let id = document.id.to_string();
        let whole = |body: &[u8]| Response { status: 200, headers: vec![], body: body.to_vec() };
        bench.server.json(200, &document).then_ok(whole(&bytes[..11]));
        assert!(matches!(bench.session.review(&id).await.unwrap_err(), Error::WrongLength { found: 11, .. }));
        bench.server.json(200, &document).then_ok(piece(b"%PDF-1.7 one more", 0, 12));
        assert!(matches!(bench.session.review(&id).await.unwrap_err(), Error::Unreadable { .. }));
        let mut endless = document.clone();
        endless.head.length = u64::MAX;
        bench.server.json(200, &endless);
        assert!(matches!(bench.session.review(&id).await.unwrap_err(), Error::WrongLength { .. }));
        for roles in [&["attachment"][..], &["main", "main"], &["main", "annex"]] {
            let files: Vec<_> = roles.iter().map(|role| (*role, &bytes[..])).collect();
            bench.server.json(200, &bench.document(&files));
            assert!(
                matches!(bench.session.review(&id).await.unwrap_err(), Error::Unreadable { .. }),
                "{roles:?}"
            );
        }
        bench.server.json(200, &document).then_ok(whole(bytes)).json(204, &"");
        bench.session.review(&id).await.unwrap();
    }
}
