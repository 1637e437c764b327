//! The check before consent: the tail only adds this signature, to the very bytes that were shown.
//!
//! [`Checked`] is what a leader may consent to, and only [`Session::check`] makes one. Everything in it was computed
//! here from the reviewed bytes: the digest of the `ByteRange`, the signed attributes, the digest to be signed (DTBS),
//! the code and the text of the SIM, the declared fields with their places. Nothing was asked of the SIM yet.

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use trinhky_pades::Digest;
use trinhky_pades::changes::{TailExpectation, TailReview, check_tail};
use trinhky_pades::cms::{self, ID_DATA};
use trinhky_pades::manifest::{FieldKind, Manifest};
use trinhky_pades::x509::Certificate;
use trinhky_protos::HexDigest;
use trinhky_protos::document::{DocumentView, SignerView};
use trinhky_protos::session::PersonView;
use trinhky_protos::signing::{PrepareRequest, PrepareResponse};

use crate::bundle::main_file;
use crate::certificate;
use crate::error::Error;
use crate::keep::{Memory, Pin, recall};
use crate::place::{Filled, is_in_place};
use crate::prompt::{self, Prompt};
use crate::review::Reviewed;
use crate::session::Session;

/// What may be consented to. It is used up by deciding: a challenge is good once.
pub struct Checked {
    pub(crate) session: Session,
    pub(crate) reviewed: Reviewed,
    pub(crate) prepared: PrepareResponse,
    pub(crate) pin: Pin,
    pub(crate) finding: Finding,
}

/// What the examination found; every part is needed for the decision.
pub(crate) struct Finding {
    pub(crate) signer: SignerView,
    pub(crate) certificate: Certificate,
    pub(crate) content: Digest,
    pub(crate) dtbs: Digest,
    pub(crate) prompt: Prompt,
    pub(crate) tail: HexDigest,
    pub(crate) fields: Vec<DeclaredField>,
}

/// A declared field, read from the bytes: drawn on the screen with "văn thư sẽ điền".
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredField {
    /// Its name, e.g. `DocNumber`.
    pub name: String,
    /// From 1; 0 for none.
    pub page: u32,
    /// x, y, width, height in points from the lower left of the page as displayed.
    pub rect: [f64; 4],
    /// Its text, if it was filled already.
    pub text: Option<String>,
}
