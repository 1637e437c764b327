//! Public keys as `SubjectPublicKeyInfo` carries them (RFC 3279 2.3, RFC 5480, RFC 8410).

use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::{Decode, Sequence};

use super::{CryptoError, HashAlgorithm, SignatureAlgorithm, ed25519};
use crate::asn1::{Algorithm, Oid};
use crate::oid;

/// A public key, borrowed from its DER.
#[derive(Clone, Copy, Debug)]
pub enum PublicKey<'a> {
    /// RSA, perhaps restricted to RSASSA-PSS by the key itself.
    Rsa {
        /// The `RSAPublicKey` DER.
        der: &'a [u8],
        /// Big-endian, without leading zero.
        modulus: &'a [u8],
        /// Big-endian, without leading zero.
        exponent: &'a [u8],
        /// What the key may be used with.
        schemes: RsaSchemes,
    },
    /// NIST P-256; an uncompressed or compressed SEC1 point.
    P256(&'a [u8]),
    /// NIST P-384; an uncompressed or compressed SEC1 point.
    P384(&'a [u8]),
    /// NIST P-521; an uncompressed or compressed SEC1 point.
    P521(&'a [u8]),
    /// Ed25519; the encoded point.
    Ed25519(&'a [u8; 32]),
}

/// What an RSA key may be used with (RFC 4055 1.2, 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaSchemes {
    /// PKCS#1 v1.5 and PSS.
    Any,
    /// PSS with any parameters.
    Pss,
    /// PSS with this hash and at least this much salt.
    PssWith(HashAlgorithm, u16),
}

#[derive(Sequence)]
struct SubjectPublicKeyInfo<'a> {
    algorithm: Algorithm<'a>,
    key: BitStringRef<'a>,
}

#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

impl<'a> PublicKey<'a> {
    /// From a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] if it cannot be read or is an Ed25519 point of small order, [`CryptoError::Unsupported`]
    /// for other kinds of key.
    pub fn from_spki(der: &'a [u8]) -> Result<Self, CryptoError> {
        let info = SubjectPublicKeyInfo::from_der(der).map_err(|_| CryptoError::BadKey)?;
        let key = info.key.as_bytes().ok_or(CryptoError::BadKey)?;
        match info.algorithm.oid {
            oid::RSA_ENCRYPTION if info.algorithm.parameters_empty() => Self::rsa(key, RsaSchemes::Any),
            oid::RSASSA_PSS if info.algorithm.parameters.is_none() => Self::rsa(key, RsaSchemes::Pss),
            oid::RSASSA_PSS => match SignatureAlgorithm::from_identifier(&info.algorithm)? {
                SignatureAlgorithm::RsaPss { hash, salt_length } => {
                    Self::rsa(key, RsaSchemes::PssWith(hash, salt_length))
                }
                _ => Err(CryptoError::Unsupported),
            },
            oid::EC_PUBLIC_KEY => Self::ec(info.algorithm.parameters, key),
            // RFC 8410 3: the parameters must be absent.
            oid::ED25519 if info.algorithm.parameters.is_none() => Self::ed25519(key),
            _ => Err(CryptoError::Unsupported),
        }
    }

    fn rsa(der: &'a [u8], schemes: RsaSchemes) -> Result<Self, CryptoError> {
        let key = RsaPublicKey::from_der(der).map_err(|_| CryptoError::BadKey)?;
        let (modulus, exponent) = (key.modulus.as_bytes(), key.exponent.as_bytes());
        let bits = bit_length(modulus);
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
        if !(1024..=8192).contains(&bits) || !odd(modulus) || !odd(exponent) || exponent.len() > 8 {
            return Err(CryptoError::BadKey);
        }
        Ok(Self::Rsa { der, modulus, exponent, schemes })
    }

    fn ec(parameters: Option<AnyRef<'a>>, point: &'a [u8]) -> Result<Self, CryptoError> {
        let curve = parameters.ok_or(CryptoError::BadKey)?.decode_as::<Oid>();
        match curve.map_err(|_| CryptoError::Unsupported)? {
            oid::P256 => Ok(Self::P256(point)),
            oid::P384 => Ok(Self::P384(point)),
            oid::P521 => Ok(Self::P521(point)),
            _ => Err(CryptoError::Unsupported),
        }
    }

    fn ed25519(point: &'a [u8]) -> Result<Self, CryptoError> {
        let point = <&[u8; ed25519::POINT]>::try_from(point).map_err(|_| CryptoError::BadKey)?;
        if ed25519::is_strict_point(point) { Ok(Self::Ed25519(point)) } else { Err(CryptoError::BadKey) }
    }

    /// Whether new signatures are made with this kind of key here: RSA, P-256, P-384. Those of the other kinds (P-521,
    /// Ed25519) are checked in what others made, and never put into a file. Strength is another question: see
    /// [`super::weaknesses`].
    #[must_use]
    pub const fn may_sign(&self) -> bool {
        match self {
            Self::Rsa { .. } | Self::P256(_) | Self::P384(_) => true,
            Self::P521(_) | Self::Ed25519(_) => false,
        }
    }

    /// Bits of the RSA modulus; `None` for other keys.
    #[must_use]
    pub fn rsa_bits(&self) -> Option<u32> {
        match self {
            Self::Rsa { modulus, .. } => Some(bit_length(modulus)),
            Self::P256(_) | Self::P384(_) | Self::P521(_) | Self::Ed25519(_) => None,
        }
    }

    /// How a plain signature with this key over a `hash` digest is named: PKCS#1 v1.5 for RSA, ECDSA for NIST curves.
    /// (Ed25519 signs no digest, and has one name.)
    #[must_use]
    pub fn default_algorithm(&self, hash: HashAlgorithm) -> SignatureAlgorithm {
        match self {
            Self::Rsa { schemes: RsaSchemes::Pss | RsaSchemes::PssWith(..), .. } => {
                SignatureAlgorithm::RsaPss {
                    hash,
                    salt_length: u16::try_from(hash.output_length()).unwrap_or(64),
                }
            }
            Self::Rsa { .. } => SignatureAlgorithm::RsaPkcs1(hash),
            Self::P256(_) | Self::P384(_) | Self::P521(_) => SignatureAlgorithm::Ecdsa(hash),
            Self::Ed25519(_) => SignatureAlgorithm::Ed25519,
        }
    }

    /// Whether `algorithm` is one for this kind of key.
    pub(crate) fn admits(&self, algorithm: SignatureAlgorithm) -> bool {
        match (self, algorithm) {
            (Self::Rsa { schemes, .. }, SignatureAlgorithm::RsaPkcs1(_)) => *schemes == RsaSchemes::Any,
            (Self::Rsa { schemes, .. }, SignatureAlgorithm::RsaPss { hash, salt_length }) => match schemes {
                RsaSchemes::PssWith(only, least) => hash == *only && salt_length >= *least,
                RsaSchemes::Any | RsaSchemes::Pss => true,
            },
            (Self::P256(_) | Self::P384(_) | Self::P521(_), SignatureAlgorithm::Ecdsa(_))
            | (Self::Ed25519(_), SignatureAlgorithm::Ed25519) => true,
            _ => false,
        }
    }
}

fn bit_length(number: &[u8]) -> u32 {
    let leading = number.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(number.len() * 8).map_or(u32::MAX, |bits| bits - leading)
}
