//! The bundle (bộ hồ sơ trình ký) as one digest: every file with its role, bytes and place, so that a decision covers
//! the attachments and background papers as well as the main document.

use sha2::{Digest as _, Sha256};
use trinhky_protos::HexDigest;
use trinhky_protos::document::{BundleFileView, DocumentView};
use trinhky_protos::signing::bundle_digest_input;

use crate::error::Error;

/// SHA-256 over one line a file.
pub fn bundle_digest(files: &[BundleFileView]) -> HexDigest {
    HexDigest(Sha256::digest(bundle_digest_input(files)).into())
}

/// The one main document of a bundle.
///
/// # Errors
/// [`Error::Unreadable`] if there is none, or more than one.
pub fn main_file(document: &DocumentView) -> Result<&BundleFileView, Error> {
    let mut mains = document.files.iter().filter(|file| file.role == MAIN);
    match (mains.next(), mains.next()) {
        (Some(main), None) => Ok(main),
        (None, _) => Err(unreadable("the bundle has no main document")),
        (Some(_), Some(_)) => Err(unreadable("the bundle has two main documents")),
    }
}

/// Roles decide what is released; a role this core does not know may mean anything, so it is refused.
pub(crate) fn check_roles(document: &DocumentView) -> Result<(), Error> {
    match document.files.iter().find(|file| ![MAIN, ATTACHMENT, BACKGROUND].contains(&file.role.as_str())) {
        Some(file) => Err(unreadable(&format!("a file has the role {:?}", file.role))),
        None if document.files.len() > MOST_FILES => Err(unreadable("the bundle has too many files")),
        None => Ok(()),
    }
}

fn unreadable(why: &str) -> Error {
    Error::Unreadable { asked: "the document", why: why.into() }
}

pub(crate) const MAIN: &str = "main";
const ATTACHMENT: &str = "attachment";
const BACKGROUND: &str = "background";
const MOST_FILES: usize = 200;
