//! `TimeStampReq` and `TimeStampResp` (RFC 3161 2.4.1, 2.4.2).

use der::asn1::{AnyRef, BitStringRef, IntRef, OctetStringRef};
use der::{Decode, Encode, Sequence};
use thiserror::Error;

use super::CheckedToken;
use super::token::{MessageImprint, Token, TokenRefused};
use crate::asn1::ber;
use crate::asn1::{Algorithm, Oid, RawSeq};
use crate::crypto::{HashAlgorithm, Provider};

const MAX_RESPONSE: usize = 1024 * 1024;

/// A request, and what its answer must repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampRequest {
    der: Vec<u8>,
    hash: HashAlgorithm,
    imprint: Vec<u8>,
    nonce: Vec<u8>,
}

/// Why a response gives no time stamp.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TspRefused {
    /// Not a `TimeStampResp`, or larger than 1 MiB.
    #[error("the time-stamp response cannot be read")]
    Malformed,
    /// The authority refused.
    #[error("the time-stamping authority refused: status {status}, failure bits {failure:#x}")]
    Rejected {
        /// `PKIStatus`: 2 rejection, 3 waiting, 4 and 5 revocation.
        status: u8,
        /// `PKIFailureInfo`, bit n of the standard as bit n.
        failure: u32,
    },
    /// Answers another request: the nonce differs or is missing.
    #[error("the time stamp answers another request")]
    Nonce,
    /// The token itself.
    #[error(transparent)]
    Token(#[from] TokenRefused),
}

impl TspRefused {
    /// A stable code for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "tsp_malformed",
            Self::Rejected { .. } => "tsp_rejected",
            Self::Nonce => "tsp_nonce",
            Self::Token(_) => "tsp_token",
        }
    }
}

/// ```text
/// TimeStampReq ::= SEQUENCE {
///   version INTEGER { v1(1) }, messageImprint MessageImprint, reqPolicy OBJECT IDENTIFIER OPTIONAL,
///   nonce INTEGER OPTIONAL, certReq BOOLEAN DEFAULT FALSE, extensions [0] IMPLICIT Extensions OPTIONAL }
/// ```
#[derive(Sequence)]
struct TimeStampReq<'a> {
    version: u8,
    imprint: MessageImprint<'a>,
    policy: Option<Oid>,
    nonce: Option<IntRef<'a>>,
    #[asn1(default = "Default::default")]
    certificates: bool,
}

/// `TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL }`
#[derive(Sequence)]
struct TimeStampResp<'a> {
    status: PkiStatusInfo<'a>,
    token: Option<AnyRef<'a>>,
}

/// `PKIStatusInfo ::= SEQUENCE { status INTEGER, statusString PKIFreeText OPTIONAL, failInfo BIT STRING OPTIONAL }`
#[derive(Sequence)]
struct PkiStatusInfo<'a> {
    status: u8,
    text: Option<RawSeq<'a>>,
    failure: Option<BitStringRef<'a>>,
}

impl TimestampRequest {
    /// Asks for a time stamp over `message` (for a signature time stamp: the signature value), with the
    /// authority's certificates inside. `nonce` must be fresh randomness.
    ///
    /// # Errors
    /// A DER error, which does not happen for messages of any size.
    pub fn over(message: &[u8], nonce: [u8; 16]) -> der::Result<Self> {
        Self::of_digest(HashAlgorithm::Sha256, HashAlgorithm::Sha256.digest(message), nonce)
    }

    /// The same for a digest computed elsewhere (a document time stamp).
    ///
    /// # Errors
    /// A DER error if the digest has another length than `hash` gives.
    pub fn of_digest(hash: HashAlgorithm, imprint: Vec<u8>, nonce: [u8; 16]) -> der::Result<Self> {
        if imprint.len() != hash.output_length() {
            return Err(der::ErrorKind::Failed.into());
        }
        // A positive INTEGER without leading zero bytes, as DER wants it: the first byte is kept in 0x40..=0x7f.
        let [first, ..] = nonce;
        let mut nonce = nonce.to_vec();
        if let Some(byte) = nonce.first_mut() {
            *byte = (first & 0x3f) | 0x40;
        }
        let request = TimeStampReq {
            version: 1,
            imprint: MessageImprint {
                // RFC 5754 2 allows both forms; old authorities compare with NULL.
                algorithm: Algorithm { oid: hash.oid(), parameters: Some(AnyRef::NULL) },
                digest: OctetStringRef::new(&imprint)?,
            },
            policy: None,
            nonce: Some(IntRef::new(&nonce)?),
            certificates: true,
        };
        let der = request.to_der()?;
        Ok(Self { der, hash, imprint, nonce })
    }

    /// The bytes to post as `application/timestamp-query`.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Reads the answer (`application/timestamp-reply`) and checks the token in it against this request.
    ///
    /// # Errors
    /// [`TspRefused`].
    pub fn accept(&self, response: &[u8], provider: &dyn Provider) -> Result<CheckedToken, TspRefused> {
        if response.len() > MAX_RESPONSE {
            return Err(TspRefused::Malformed);
        }
        let token = token_of(response)?;
        let token = Token::parse(&token).map_err(TspRefused::Token)?;
        if token.nonce() != Some(&self.nonce) {
            return Err(TspRefused::Nonce);
        }
        if token.imprint_algorithm() != self.hash {
            return Err(TokenRefused::Imprint.into());
        }
        Ok(token.check(&self.imprint, &[], provider)?)
    }

    /// The token inside a response, unchecked: for tools that look at stored responses.
    ///
    /// # Errors
    /// [`TspRefused`] if the response grants none.
    pub fn token_in(response: &[u8]) -> Result<Vec<u8>, TspRefused> {
        token_of(response)
    }
}

/// The token inside a response that grants one.
fn token_of(response: &[u8]) -> Result<Vec<u8>, TspRefused> {
    let (definite, used) = ber::definite(response).map_err(|_| TspRefused::Malformed)?;
    if used != response.len() {
        return Err(TspRefused::Malformed);
    }
    let parsed = TimeStampResp::from_der(&definite).map_err(|_| TspRefused::Malformed)?;
    match (parsed.status.status, parsed.token) {
        // granted, grantedWithMods
        (0 | 1, Some(token)) => token.to_der().map_err(|_| TspRefused::Malformed),
        (0 | 1, None) => Err(TspRefused::Malformed),
        (status, _) => {
            let bits = parsed.status.failure.map(|bits| bits.bits().take(32).enumerate().collect::<Vec<_>>());
            let set = bits.unwrap_or_default().into_iter().filter(|(_, bit)| *bit);
            Err(TspRefused::Rejected { status, failure: set.fold(0, |all, (nth, _)| all | (1 << nth)) })
        }
    }
}
