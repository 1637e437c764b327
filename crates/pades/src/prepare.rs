//! The first half of a signature: one revision, complete but for the signature value, appended to a base that is not
//! touched (ISO 32000-2, 7.5.6 and 12.8; ETSI EN 319 142-1, PAdES baseline).
//!
//! ```text
//! base ─┬─ widget with /V, appearance, fills ─ signature dictionary: /ByteRange, /Contents <000…> ─ xref ─ %%EOF
//!       └─ unchanged                           digest = SHA-256 of all but the gap: only the tail is hashed
//! ```
//!
//! [`Prepared`] is plain data: stored, and patched later by [`Prepared::complete`](crate::complete); never made again,
//! because whatever is made again differs. An approval signature, unless the request asks for more ([`Protection`]).

mod appending;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

pub(crate) use appending::{Appending, Shown, new_file_id};

use crate::{
    digest::{Digest, Midstate},
    form_version::FormVersion,
    index::BaseIndex,
    look::PreparedImage,
    mark::Mark,
    pdf::PdfError,
    protection::{self, Protection},
    provision::PagePlace,
    source::{Source, SourceError},
};

/// What is to be signed, and how it looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignRequest {
    /// The signature field. If the file has none of this name it is added in the same revision, at `place`.
    pub field: String,
    /// The signer's certificate, DER: only this one may complete.
    #[serde(with = "crate::prepare::base64_bytes")]
    pub certificate: Vec<u8>,
    /// The picture of the signature or seal; none: an empty appearance.
    pub image: Option<PreparedImage>,
    /// Texts that are filled in the same revision.
    pub fills: Vec<Fill>,
    /// The time the signer claims (`/M`), with its zone. The time stamp proves the true one later.
    #[serde(with = "time::serde::rfc3339")]
    pub claimed_time: OffsetDateTime,
    /// Bytes kept free for the signature; [`SignRequest::RESERVE`] fits chain and time stamp.
    pub reserve: Option<u32>,
    /// Sixteen fresh bytes: the second half of the file's identity.
    pub file_id_seed: [u8; 16],
    /// The signer's name.
    pub name: Option<String>,
    /// Why it is signed.
    pub reason: Option<String>,
    /// Where it is signed.
    pub location: Option<String>,
    /// Where the field goes if the file has none of that name; none: it is not shown.
    pub place: Option<PagePlace>,
    /// Shown instead of a picture; a field that the file has not goes to the corner that is meant for it.
    #[serde(default)]
    pub mark: Option<Mark>,
    /// What it forbids to those after it.
    #[serde(default)]
    pub protection: Protection,
}

impl SignRequest {
    /// Bytes kept free unless the request says otherwise: 32 KiB.
    pub const RESERVE: u32 = 32 << 10;

    /// What a signature takes that carries certificates of these lengths (DER) and a time stamp with a chain of its own,
    /// 12 KiB: for [`reserve`](Self::reserve), when the chain is known.
    pub fn room_for(certificates: impl IntoIterator<Item = usize>) -> u32 {
        const ATTRIBUTES_AND_VALUE: usize = 2 << 10;
        const TIME_STAMP: usize = 12 << 10;
        let needed = certificates.into_iter().fold(ATTRIBUTES_AND_VALUE + TIME_STAMP, usize::saturating_add);
        u32::try_from(needed).unwrap_or(u32::MAX)
    }

    /// A signature in `field` by the holder of `certificate`, without picture or fills.
    pub fn new(
        field: &str,
        certificate: &[u8],
        claimed_time: OffsetDateTime,
        file_id_seed: [u8; 16],
    ) -> Self {
        Self {
            field: field.to_owned(),
            certificate: certificate.to_vec(),
            image: None,
            fills: Vec::new(),
            claimed_time,
            reserve: None,
            file_id_seed,
            name: None,
            reason: None,
            location: None,
            place: None,
            mark: None,
            protection: Protection::AsField,
        }
    }
}

/// A text for a declared field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Name of the field.
    pub field: String,
    /// The text, drawn as it is.
    pub text: String,
}

/// Where the signature value will go: `<`, digits, `>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Offset of `<` within the tail.
    pub at_in_tail: u64,
    /// Number of hex digits.
    pub hex_len: u64,
}

/// A revision that waits for its signature; JSON, versioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// Version of this form.
    pub version: FormVersion<1>,
    /// The field that is signed.
    pub field: String,
    /// SHA-256 of the base.
    pub base_sha256: Digest,
    /// Length of the base.
    pub base_len: u64,
    /// The hash at the end of the base.
    pub base_midstate: Midstate,
    /// What is appended, the gap filled with zeros.
    #[serde(with = "crate::prepare::base64_bytes")]
    pub tail: Vec<u8>,
    /// The gap.
    pub contents: Gap,
    /// `/ByteRange`.
    pub byte_range: [u64; 4],
    /// SHA-256 of everything outside the gap: the message digest to be signed.
    pub digest: Digest,
    /// SHA-256 of the certificate that may complete.
    pub certificate_sha256: Digest,
    /// `/M`.
    #[serde(with = "time::serde::rfc3339")]
    pub claimed_time: OffsetDateTime,
    /// What was filled.
    pub fills: Vec<Fill>,
    /// The index of the file with this revision; its SHA-256 is set on completion.
    pub(crate) next: BaseIndex,
}

/// Why a revision cannot be prepared. [`PrepareError::code`] is stable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PrepareError {
    /// Base, index and midstate are not of the same file.
    #[error("the base has moved: prepare again on the file as it is now")]
    WrongBase,
    /// There is no field of this name, and it cannot be added here.
    #[error("the file has no field called {0}")]
    NoSuchField(String),
    /// The field is of another kind.
    #[error("the field {0} is of another kind")]
    WrongKind(String),
    /// The field already has a signature or a text.
    #[error("the field {0} is already filled")]
    AlreadyFilled(String),
    /// The text cannot be drawn.
    #[error("the text for {field} cannot be drawn: {why}")]
    Text {
        /// Its name.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// A signature of this certificate would not fit.
    #[error("{reserve} bytes are too few for this signature; keep at least {need} free")]
    ReserveTooSmall {
        /// What was asked for.
        reserve: u32,
        /// What is needed.
        need: u32,
    },
    /// A field was to be added to a file whose structure does not allow it.
    #[error("the field does not lie on a page of the file")]
    OffPage,
    /// A certification was asked for where others signed before.
    #[error("only the first signature of a file can certify it, and this file is signed already")]
    CertifiesLate,
    /// A certification was asked for where there is one.
    #[error("the file is certified already")]
    AlreadyCertified,
    /// The file is certified, and its certification forbids this field.
    #[error("the file is certified, and its certification forbids signing or filling {0}")]
    CertificationForbids(String),
    /// An earlier signature locks this field.
    #[error("an earlier signature locks the field {0}")]
    FieldLocked(String),
    /// What was asked for is not what the field's own lock says.
    #[error("the field {0} has a lock of its own that says something else")]
    LockDiffers(String),
    /// The base cannot be read.
    #[error(transparent)]
    Pdf(#[from] PdfError),
}

impl PrepareError {
    /// Stable, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongBase => "base_moved",
            Self::NoSuchField(_) => "no_such_field",
            Self::WrongKind(_) => "wrong_field_kind",
            Self::AlreadyFilled(_) => "already_filled",
            Self::Text { .. } => "text_not_drawable",
            Self::ReserveTooSmall { .. } => "reserve_too_small",
            Self::OffPage => "field_off_page",
            Self::CertifiesLate => "certification_not_first",
            Self::AlreadyCertified => "already_certified",
            Self::CertificationForbids(_) => "certification_forbids",
            Self::FieldLocked(_) => "field_locked",
            Self::LockDiffers(_) => "lock_differs",
            Self::Pdf(_) => "unreadable",
        }
    }
}

impl From<SourceError> for PrepareError {
    fn from(error: SourceError) -> Self {
        Self::Pdf(error.into())
    }
}

/// Prepares one revision with one signature and, if asked, filled texts.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use trinhky_pades::*;
/// # let bytes = pdf::minimal();
/// # let taken = ingest(&bytes, &pdf::Limits::default())?;
/// # let mut base = Vec::new();
/// # let made = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base)?;
/// # let (certificate, now) = (b"certificate".to_vec(), time::OffsetDateTime::UNIX_EPOCH);
/// let request = SignRequest::new("Signer1", &certificate, now, [7; 16]);
/// let prepared = prepare(&base, &made.index, &made.midstate, &request)?;
/// assert_eq!(prepared.byte_range[1], base.len() as u64 + prepared.contents.at_in_tail);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`PrepareError`].
pub fn prepare(
    base: &dyn Source,
    index: &BaseIndex,
    midstate: &Midstate,
    request: &SignRequest,
) -> Result<Prepared, PrepareError> {
    if base.len() != index.len || midstate.len() != index.len {
        return Err(PrepareError::WrongBase);
    }
    let reserve = request.reserve.unwrap_or(SignRequest::RESERVE);
    let need = u32::try_from(request.certificate.len()).unwrap_or(u32::MAX).saturating_add(SIGNATURE_ALONE);
    if reserve < need {
        return Err(PrepareError::ReserveTooSmall { reserve, need });
    }
    let mut appending = Appending::new(base, index);
    let signature = appending.out.allot();
    let widget = match index.field(&request.field) {
        Some(site) => appending.widget(site)?,
        None => appending.new_widget(&request.field, Shown::of(request))?,
    };
    match &request.mark {
        Some(mark) => appending.sign_marked(widget.clone(), signature, mark.lines(request.claimed_time))?,
        None => appending.sign(widget.clone(), signature, request.image.as_ref()),
    }
    for fill in &request.fills {
        appending.fill(fill)?;
    }
    let own_lock = appending.protect(&widget, signature, request)?;
    let certified = index.protected.certified;
    let references = protection::references(
        &request.protection,
        own_lock.as_ref(),
        index.root,
        !certified,
        &request.field,
    )?;
    let dict = appending::dictionary(request, references);
    let patch = appending.signature(signature, &dict, reserve);
    let Gapped { tail, contents, byte_range, digest, next } =
        appending.finish(patch, midstate, &request.field, &request.file_id_seed);
    Ok(Prepared {
        version: FormVersion,
        field: request.field.clone(),
        base_sha256: index.sha256,
        base_len: index.len,
        base_midstate: midstate.clone(),
        tail,
        contents,
        byte_range,
        digest,
        certificate_sha256: Digest::of(&request.certificate),
        claimed_time: request.claimed_time,
        fills: request.fills.clone(),
        next,
    })
}

/// A finished revision whose gap is still empty.
pub(crate) struct Gapped {
    pub(crate) tail: Vec<u8>,
    pub(crate) contents: Gap,
    pub(crate) byte_range: [u64; 4],
    /// SHA-256 of everything outside the gap.
    pub(crate) digest: Digest,
    pub(crate) next: BaseIndex,
}

/// Bytes as base64 in JSON.
pub(crate) mod base64_bytes {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}

/// Structure, attributes and an RSA-4096 value, without certificates and time stamp.
const SIGNATURE_ALONE: u32 = 1536;
