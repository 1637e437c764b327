//! One signer against the content it should cover: an answer per question, decided by nobody yet.
//!
//! The cryptographic part of EN 319 102-1 5.2.7 (cryptographic verification) and 5.2.8 (signature acceptance); the
//! verifier turns the answers into an indication.

use super::ess::{Binding, EssCheck};
use super::parse::{SignedMessage, Signer};
use crate::asn1::Oid;
use crate::crypto::{CryptoError, Provider, PublicKey, Weakness, weaknesses};
use crate::oid;
use crate::x509::Certificate;

/// The answers about one signer.
#[derive(Clone, Debug)]
pub struct SignerChecks {
    /// The certificate the signer names, found among the embedded and the extra ones.
    pub certificate: Option<Certificate>,
    /// Whether the content has the digest that was signed.
    pub content: Finding,
    /// Whether the signature value is over the signed attributes (or the content) with the certificate's key.
    pub signature: Finding,
    /// What the signing-certificate attribute says about the certificate.
    pub signing_certificate: EssCheck,
    /// Whether content-type is there once and names the type of the content (RFC 5652 5.3, 11.1).
    pub content_type: Finding,
    /// Algorithms and keys that no longer give assurance.
    pub weaknesses: Vec<Weakness>,
    /// Attributes that are there more than once (RFC 5652 5.3: must not be).
    pub repeated_attributes: Vec<Oid>,
    /// Whether a signing-time attribute is there: then it is CAdES, not PAdES baseline.
    pub has_signing_time: bool,
}

/// The answer to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Yes.
    Holds,
    /// No.
    Fails,
    /// It cannot be told: something is missing or not supported.
    Unknown(CryptoError),
}

impl Finding {
    /// Whether it is a yes.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Holds)
    }

    const fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

impl SignerChecks {
    /// The sub-indication of EN 319 102-1 that the answers lead to, or `None` when all hold.
    ///
    /// Weak algorithms are not part of it: whether they were still good depends on a proof of existence.
    #[must_use]
    pub fn sub_indication(&self) -> Option<&'static str> {
        if self.content == Finding::Fails {
            return Some("HASH_FAILURE");
        }
        if self.certificate.is_none() {
            return Some("NO_SIGNING_CERTIFICATE_FOUND");
        }
        if self.signature == Finding::Fails {
            return Some("SIG_CRYPTO_FAILURE");
        }
        if !self.content_type.holds() || !self.repeated_attributes.is_empty() {
            return Some("FORMAT_FAILURE");
        }
        if matches!(self.signing_certificate, EssCheck::Mismatch | EssCheck::Malformed) {
            return Some("SIG_CONSTRAINTS_FAILURE");
        }
        if !self.content.holds() || !self.signature.holds() {
            return Some("CRYPTO_CONSTRAINTS_FAILURE_NO_POE");
        }
        None
    }
}

impl Signer {
    /// Looks at this signer of `message`, whose content has the digest `content_digest` under
    /// [`Signer::digest_algorithm`]. `extra` are further certificates to look in (a DSS, a trust list).
    pub fn inspect(
        &self,
        message: &SignedMessage,
        content_digest: &[u8],
        extra: &[Certificate],
        provider: &dyn Provider,
    ) -> SignerChecks {
        let binding = Binding::read(&self.signed);
        let certificate = self.find_certificate(message, extra, &binding);
        let key = certificate.as_ref().map(Certificate::public_key);
        let weaknesses = match (&key, self.signature_algorithm) {
            (Some(Ok(key)), Ok(algorithm)) => weaknesses(algorithm, key),
            _ => Vec::new(),
        };
        SignerChecks {
            content: self.check_content(content_digest),
            signature: self.check_value(key, content_digest, provider),
            signing_certificate: certificate.as_ref().map_or(EssCheck::Absent, |one| binding.check(one)),
            content_type: self.check_content_type(message),
            weaknesses,
            repeated_attributes: self.repeated(),
            has_signing_time: self.signed.contains(oid::SIGNING_TIME),
            certificate,
        }
    }

    /// Several certificates may bear the same name and number (a swap); the one that the signing-certificate
    /// attribute names comes first, so that an attacker's copy in front of it changes nothing.
    fn find_certificate(
        &self,
        message: &SignedMessage,
        extra: &[Certificate],
        binding: &Binding,
    ) -> Option<Certificate> {
        let candidates = || message.certificates.iter().chain(extra).filter(|c| self.id.names(c));
        let bound = candidates().find(|one| binding.check(one).is_bound());
        bound.or_else(|| candidates().next()).cloned()
    }

    fn check_content(&self, content_digest: &[u8]) -> Finding {
        match (self.digest_algorithm, self.signed_der.is_some()) {
            (None, _) => Finding::Unknown(CryptoError::Unsupported),
            // Without attributes the value itself covers the content: see the signature.
            (Some(_), false) => Finding::Holds,
            (Some(_), true) => Finding::of(self.message_digest() == Some(content_digest)),
        }
    }

    fn check_value(
        &self,
        key: Option<Result<PublicKey<'_>, CryptoError>>,
        content_digest: &[u8],
        provider: &dyn Provider,
    ) -> Finding {
        let verify = || {
            let key = key.unwrap_or(Err(CryptoError::BadKey))?;
            let algorithm = self.signature_algorithm?;
            let over = |der: &[u8]| provider.verify_message(algorithm, &key, der, &self.signature);
            match &self.signed_der {
                Some(der) => match (over(der), &self.signed_sorted) {
                    (Err(CryptoError::BadSignature), Some(sorted)) => over(sorted),
                    (answer, _) => answer,
                },
                // Only the digest of the content is known here: without attributes, Ed25519 cannot be told.
                None => provider.verify_digest(algorithm, &key, content_digest, &self.signature),
            }
        };
        match verify() {
            Ok(()) => Finding::Holds,
            Err(CryptoError::BadSignature | CryptoError::WrongKey) => Finding::Fails,
            Err(error) => Finding::Unknown(error),
        }
    }

    fn check_content_type(&self, message: &SignedMessage) -> Finding {
        if self.signed_der.is_none() {
            // RFC 5652 5.3: attributes may be left out only for id-data.
            return Finding::of(message.content_type == oid::DATA);
        }
        Finding::of(self.content_type() == Some(message.content_type))
    }

    fn repeated(&self) -> Vec<Oid> {
        let single = [
            oid::CONTENT_TYPE,
            oid::MESSAGE_DIGEST,
            oid::SIGNING_TIME,
            oid::SIGNING_CERTIFICATE,
            oid::SIGNING_CERTIFICATE_V2,
        ];
        let twice = |oid: &Oid| self.signed.contains(*oid) && self.signed.single(*oid).is_none();
        single.into_iter().filter(twice).collect()
    }
}
