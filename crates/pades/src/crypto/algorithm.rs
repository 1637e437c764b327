//! Signature algorithms and how `AlgorithmIdentifier` names them (RFC 3279, RFC 4055, RFC 5754, RFC 5758,
//! RFC 8410).

use der::asn1::AnyRef;
use der::{Decode, Encode, Sequence};

use super::{CryptoError, HashAlgorithm};
use crate::asn1::Algorithm;
use crate::oid;

/// How a signature value was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(HashAlgorithm),
    /// RSASSA-PSS with MGF1 over the same hash.
    RsaPss {
        /// Hash of message and mask.
        hash: HashAlgorithm,
        /// Bytes of salt.
        salt_length: u16,
    },
    /// ECDSA; the value is a DER `Ecdsa-Sig-Value`.
    Ecdsa(HashAlgorithm),
    /// Ed25519 over the message itself, `PureEdDSA` without context (RFC 8032 5.1); the value is R and S, 64 octets.
    Ed25519,
}

/// `RSASSA-PSS-params` (RFC 4055 3.1). The defaults are the SHA-1 ones: a trap for every reader that forgets them.
#[derive(Sequence)]
struct PssParameters<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    hash: Option<Algorithm<'a>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<Algorithm<'a>>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt_length: Option<u16>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer: Option<u8>,
}

impl SignatureAlgorithm {
    /// The hash whose output is signed; `None` for Ed25519, which signs the message itself.
    #[must_use]
    pub const fn hash(self) -> Option<HashAlgorithm> {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } | Self::Ecdsa(hash) => Some(hash),
            Self::Ed25519 => None,
        }
    }

    /// What `digestAlgorithm` of a `SignerInfo` names beside it: its own hash, SHA-512 for Ed25519 (RFC 8419 3).
    fn digest_beside(self) -> HashAlgorithm {
        self.hash().unwrap_or(HashAlgorithm::Sha512)
    }

    /// From a DER `AlgorithmIdentifier` that names its hash (or Ed25519), as certificates carry it.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for anything else.
    pub fn from_der(identifier: &[u8]) -> Result<Self, CryptoError> {
        let identifier = Algorithm::from_der(identifier).map_err(|_| CryptoError::Unsupported)?;
        Self::from_identifier(&identifier)
    }

    /// From an identifier that names its hash (or Ed25519), as certificates, CRLs and OCSP responses carry it.
    pub(crate) fn from_identifier(identifier: &Algorithm<'_>) -> Result<Self, CryptoError> {
        use HashAlgorithm::{Sha1, Sha256, Sha384, Sha512};
        let plain = match identifier.oid {
            oid::SHA1_WITH_RSA => Self::RsaPkcs1(Sha1),
            oid::SHA256_WITH_RSA => Self::RsaPkcs1(Sha256),
            oid::SHA384_WITH_RSA => Self::RsaPkcs1(Sha384),
            oid::SHA512_WITH_RSA => Self::RsaPkcs1(Sha512),
            oid::ECDSA_WITH_SHA1 => Self::Ecdsa(Sha1),
            oid::ECDSA_WITH_SHA256 => Self::Ecdsa(Sha256),
            oid::ECDSA_WITH_SHA384 => Self::Ecdsa(Sha384),
            oid::ECDSA_WITH_SHA512 => Self::Ecdsa(Sha512),
            oid::RSASSA_PSS => return Self::from_pss(identifier.parameters),
            // RFC 8410 3: the parameters must be absent; a NULL is not.
            oid::ED25519 if identifier.parameters.is_none() => Self::Ed25519,
            _ => return Err(CryptoError::Unsupported),
        };
        if identifier.parameters_empty() { Ok(plain) } else { Err(CryptoError::Unsupported) }
    }

    /// From a CMS `SignerInfo`, where `rsaEncryption` takes its hash from `digestAlgorithm`, and where an identifier
    /// that names another hash than `digestAlgorithm` is algorithm confusion and refused. (So is Ed25519 beside
    /// anything but SHA-512.)
    pub(crate) fn from_signer(
        identifier: &Algorithm<'_>,
        digest: HashAlgorithm,
    ) -> Result<Self, CryptoError> {
        let algorithm = match identifier.oid {
            oid::RSA_ENCRYPTION if identifier.parameters_empty() => Self::RsaPkcs1(digest),
            _ => Self::from_identifier(identifier)?,
        };
        if algorithm.digest_beside() == digest { Ok(algorithm) } else { Err(CryptoError::Unsupported) }
    }

    fn from_pss(parameters: Option<AnyRef<'_>>) -> Result<Self, CryptoError> {
        let parameters = parameters.ok_or(CryptoError::Unsupported)?;
        let parameters = parameters.decode_as::<PssParameters<'_>>().map_err(|_| CryptoError::Unsupported)?;
        let named = |algorithm: &Algorithm<'_>| {
            HashAlgorithm::from_algorithm(algorithm).ok_or(CryptoError::Unsupported)
        };
        let hash = parameters.hash.as_ref().map_or(Ok(HashAlgorithm::Sha1), named)?;
        let mask_hash = match parameters.mask {
            None => HashAlgorithm::Sha1,
            Some(Algorithm { oid: oid::MGF1, parameters: Some(inner) }) => {
                named(&inner.decode_as().map_err(|_| CryptoError::Unsupported)?)?
            }
            Some(_) => return Err(CryptoError::Unsupported),
        };
        if mask_hash != hash || parameters.trailer.is_some_and(|trailer| trailer != 1) {
            return Err(CryptoError::Unsupported);
        }
        Ok(Self::RsaPss { hash, salt_length: parameters.salt_length.unwrap_or(20) })
    }

    /// The DER `AlgorithmIdentifier` we write for it.
    pub(crate) fn identifier_der(self) -> der::Result<Vec<u8>> {
        use HashAlgorithm::{Sha1, Sha256, Sha384, Sha512};
        let (oid, parameters) = match self {
            Self::RsaPkcs1(hash) => {
                let oid = match hash {
                    Sha1 => oid::SHA1_WITH_RSA,
                    Sha256 => oid::SHA256_WITH_RSA,
                    Sha384 => oid::SHA384_WITH_RSA,
                    Sha512 => oid::SHA512_WITH_RSA,
                };
                (oid, Some(AnyRef::NULL))
            }
            Self::Ecdsa(hash) => {
                let oid = match hash {
                    Sha1 => oid::ECDSA_WITH_SHA1,
                    Sha256 => oid::ECDSA_WITH_SHA256,
                    Sha384 => oid::ECDSA_WITH_SHA384,
                    Sha512 => oid::ECDSA_WITH_SHA512,
                };
                (oid, None)
            }
            Self::Ed25519 => (oid::ED25519, None),
            Self::RsaPss { hash, salt_length } => {
                // RFC 4055: NULL parameters for the hash inside, both in `hash` and below MGF1.
                let inner = Algorithm { oid: hash.oid(), parameters: Some(AnyRef::NULL) };
                let inner_der = inner.to_der()?;
                let mask = Algorithm { oid: oid::MGF1, parameters: Some(AnyRef::from_der(&inner_der)?) };
                let parameters = PssParameters {
                    hash: Some(inner),
                    mask: Some(mask),
                    salt_length: Some(salt_length),
                    trailer: None,
                };
                let der = parameters.to_der()?;
                let identifier =
                    Algorithm { oid: oid::RSASSA_PSS, parameters: Some(AnyRef::from_der(&der)?) };
                return identifier.to_der();
            }
        };
        Algorithm { oid, parameters }.to_der()
    }
}
