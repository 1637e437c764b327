//! Fetching a file by its digest: in ranges, going on where a broken connection stopped, believed only once digested.
//!
//! Bytes are asked for in pieces of [`PIECE`], so a connection that breaks loses one piece. What has arrived stays on
//! the [`Shelf`] until the review that wants it is complete: the next try goes on from there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use trinhky_protos::HexDigest;
use trinhky_protos::document::FileRefView;

use crate::api::Server;
use crate::error::Error;
use crate::platform::TransportError;

/// What has arrived of files, by the digest they are said to have. Not yet believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<HashMap<HexDigest, Vec<u8>>>>);

impl Shelf {
    /// Throws away what no file of `wanted` needs.
    pub(crate) fn keep_only(&self, wanted: &[HexDigest]) {
        self.lock().retain(|digest, _| wanted.contains(digest));
    }

    fn take(&self, digest: HexDigest) -> Vec<u8> {
        self.lock().remove(&digest).unwrap_or_default()
    }

    fn put_back(&self, digest: HexDigest, arrived: Vec<u8>) {
        self.lock().insert(digest, arrived);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<HexDigest, Vec<u8>>> {
        // A panic while the map was held leaves whole entries, and none is believed before it is digested.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of `file`, digested here. `what` names it in errors.
///
/// # Errors
/// [`Error::BaseChanged`] if the bytes are not those named; [`Error::WrongLength`]; [`Error::Transport`] after
/// [`TRIES_PER_PIECE`] failures in a row, with what arrived kept on the shelf.
pub(crate) async fn fetch(
    server: &Server,
    shelf: &Shelf,
    file: FileRefView,
    what: &str,
) -> Result<Vec<u8>, Error> {
    if file.length > LONGEST_FILE {
        return Err(Error::WrongLength { what: what.into(), expected: LONGEST_FILE, found: file.length });
    }
    let mut arrived = shelf.take(file.sha256);
    while (arrived.len() as u64) < file.length {
        if let Err(error) = next_piece(server, file, what, &mut arrived).await {
            shelf.put_back(file.sha256, arrived);
            return Err(error);
        }
    }
    let found = HexDigest(Sha256::digest(&arrived).into());
    if found == file.sha256 {
        Ok(arrived)
    } else {
        Err(Error::BaseChanged { what: what.into(), expected: file.sha256, found })
    }
}

impl Server {
    /// The bytes of a file, digested here: for a desk that reads one document at a time.
    ///
    /// # Errors
    /// [`Error::BaseChanged`], [`Error::WrongLength`] if they are not those named; [`Error::Transport`],
    /// [`Error::Refused`].
    pub async fn file(&self, file: FileRefView, what: &str) -> Result<Vec<u8>, Error> {
        fetch(self, &Shelf::default(), file, what).await
    }
}

async fn next_piece(
    server: &Server,
    file: FileRefView,
    what: &str,
    arrived: &mut Vec<u8>,
) -> Result<(), Error> {
    let at = arrived.len() as u64;
    let last = (at + PIECE).min(file.length) - 1;
    let mut tries_left = TRIES_PER_PIECE;
    let response = loop {
        tries_left -= 1;
        let path = format!("/v1/files/{}", file.sha256);
        match server.range("a file", path, (at, last), file.length).await {
            Err(Error::Transport(TransportError::Unreached(_) | TransportError::TimedOut))
                if tries_left > 0 => {}
            answer => break answer?,
        }
    };
    let wrong_length = |found: u64| Error::WrongLength { what: what.into(), expected: file.length, found };
    match response.status {
        206 => {
            let expected = format!("bytes {at}-{last}/{}", file.length);
            let given = response.header("content-range").unwrap_or_default();
            if given != expected {
                let why = format!("content-range is {given:?}, not {expected:?}");
                return Err(Error::Unreadable { asked: "a file", why });
            }
            if response.body.len() as u64 != last - at + 1 {
                return Err(wrong_length(at + response.body.len() as u64));
            }
            arrived.extend_from_slice(&response.body);
        }
        200 if response.body.len() as u64 == file.length => *arrived = response.body,
        200 => return Err(wrong_length(response.body.len() as u64)),
        status => return Err(Error::Unreadable { asked: "a file", why: format!("status {status}") }),
    }
    Ok(())
}

/// One range request: short enough to lose on a bad line, long enough not to wait for round trips.
const PIECE: u64 = 1 << 20;
const TRIES_PER_PIECE: u32 = 3;
/// Twice the largest document that servers take by default.
const LONGEST_FILE: u64 = 200 << 20;
