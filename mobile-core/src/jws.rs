//! Compact JWS (RFC 7515) with ES256 (RFC 7518 section 3.4): made by the device key, read by whoever checks a decision.
//!
//! Written out rather than taken from a JOSE library, because this is all of JOSE that is used: one algorithm, one
//! serialisation, three header members, none negotiable. A header with anything else is refused on reading.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use trinhky_protos::HexDigest;
use trinhky_protos::device::PublicJwk;

use crate::error::Error;
use crate::platform::{DeviceKey, DeviceKeyError};

/// The protected header; no other member is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Always `ES256`.
    pub alg: String,
    /// What the claims are: `trinhky-decision+jwt`, `trinhky-enrolment+jwt`.
    pub typ: String,
    /// The device.
    pub kid: String,
}

/// Why a JWS is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three base64url parts of sane length.
    #[error("not a compact JWS")]
    NotCompact,
    /// The header says something else than expected.
    #[error("the JWS header is {0}")]
    Header(String),
    /// The key is not a P-256 key.
    #[error("the key is not a P-256 public key")]
    Key,
    /// The signature is not by that key.
    #[error("the JWS is not signed by this key")]
    Signature,
    /// The claims are not those of the contract.
    #[error("the claims are not understood: {0}")]
    Claims(String),
}

/// A JWS whose signature was found good; only [`verify`] makes one.
#[derive(Debug, Clone)]
pub struct Verified<C> {
    /// What was signed.
    pub claims: C,
    /// The device that the header names.
    pub kid: String,
    /// SHA-256 of the compact text.
    pub digest: HexDigest,
}

/// Signs claims with the device key, and looks at what the key store gave back before it is used.
pub(crate) async fn sign<C: Serialize + Sync>(
    key: &dyn DeviceKey,
    public: &PublicJwk,
    typ: &str,
    kid: &str,
    claims: &C,
) -> Result<String, Error> {
    let header = Header { alg: ALG.into(), typ: typ.into(), kid: kid.into() };
    let encode = |json: serde_json::Result<Vec<u8>>| json.map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let unwritable =
        |error: serde_json::Error| Error::Unreadable { asked: "the claims", why: error.to_string() };
    let header = encode(serde_json::to_vec(&header)).map_err(unwritable)?;
    let claims = encode(serde_json::to_vec(claims)).map_err(unwritable)?;
    let signed = format!("{header}.{claims}");
    let signature = key.sign(signed.clone().into_bytes()).await?;
    es256(public, signed.as_bytes(), &signature)
        .map_err(|error| DeviceKeyError::Failed(error.to_string()))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Reads claims of `typ` signed by `key`.
///
/// # Errors
/// [`JwsError`] says which part is wrong.
pub fn verify<C: DeserializeOwned>(
    compact: &str,
    key: &PublicJwk,
    typ: &str,
) -> Result<Verified<C>, JwsError> {
    if compact.len() > LONGEST {
        return Err(JwsError::NotCompact);
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(JwsError::NotCompact)?;
    let (header, claims) = signed.split_once('.').ok_or(JwsError::NotCompact)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::NotCompact);
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|error| JwsError::Header(error.to_string()))?;
    if header.alg != ALG || header.typ != typ {
        return Err(JwsError::Header(format!("{} {}, not {ALG} {typ}", header.alg, header.typ)));
    }
    es256(key, signed.as_bytes(), &decode(signature)?)?;
    let claims =
        serde_json::from_slice(&decode(claims)?).map_err(|error| JwsError::Claims(error.to_string()))?;
    Ok(Verified { claims, kid: header.kid, digest: HexDigest(Sha256::digest(compact).into()) })
}

/// RFC 7638 thumbprint: the name of a key.
pub fn thumbprint(key: &PublicJwk) -> HexDigest {
    HexDigest(Sha256::digest(key.thumbprint_input()).into())
}

/// ECDSA with P-256 and SHA-256 over `message`; `signature` is `r` then `s`.
fn es256(key: &PublicJwk, message: &[u8], signature: &[u8]) -> Result<(), JwsError> {
    let signature = Signature::from_slice(signature).map_err(|_| JwsError::Signature)?;
    verifying_key(key)?.verify(message, &signature).map_err(|_| JwsError::Signature)
}

fn verifying_key(key: &PublicJwk) -> Result<VerifyingKey, JwsError> {
    let coordinate = |text: &str| -> Result<[u8; 32], JwsError> {
        URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(JwsError::Key)
    };
    if key.kty != "EC" || key.crv != "P-256" {
        return Err(JwsError::Key);
    }
    let mut point = [0x04; 65];
    point[1..33].copy_from_slice(&coordinate(&key.x)?);
    point[33..].copy_from_slice(&coordinate(&key.y)?);
    VerifyingKey::from_sec1_bytes(&point).map_err(|_| JwsError::Key)
}

const ALG: &str = "ES256";
/// Claims name every file and recipient of a bundle; 1 MB is far beyond any real one.
const LONGEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::TestKey;

    const TYP: &str = "test+jwt";

    async fn signed(claims: &Value) -> (String, PublicJwk) {
        let key = TestKey::new(7);
        let public = key.public_jwk().await.unwrap();
        (sign(&key, &public, TYP, "device", claims).await.unwrap(), public)
    }

    #[tokio::test]
    async fn what_was_signed_is_what_is_read() {
        let (compact, public) = signed(&json!({"a": 1})).await;
        let verified = verify::<Value>(&compact, &public, TYP).unwrap();
        assert_eq!((verified.claims, verified.kid.as_str()), (json!({"a": 1}), "device"));
        assert_eq!(verified.digest, HexDigest(Sha256::digest(compact).into()));
    }

    #[tokio::test]
    async fn another_key_type_or_byte_is_refused() {
        let (compact, public) = signed(&json!({"a": 1})).await;
        let other = TestKey::new(8).public_jwk().await.unwrap();
        assert_eq!(verify::<Value>(&compact, &other, TYP).unwrap_err(), JwsError::Signature);
        assert!(matches!(verify::<Value>(&compact, &public, "other+jwt").unwrap_err(), JwsError::Header(_)));
        let claims = URL_SAFE_NO_PAD.encode(r#"{"a":2}"#);
        let parts: Vec<&str> = compact.split('.').collect();
        let forged = format!("{}.{claims}.{}", parts[0], parts[2]);
        assert_eq!(verify::<Value>(&forged, &public, TYP).unwrap_err(), JwsError::Signature);
        for text in ["", ".", "..", "a.b", &compact[1..], &format!("{compact}=")] {
            verify::<Value>(text, &public, TYP).unwrap_err();
        }
    }

    #[tokio::test]
    async fn no_algorithm_is_negotiated_and_no_header_goes_unread() {
        let (compact, public) = signed(&json!({})).await;
        let rest = compact.split_once('.').unwrap().1;
        for header in [
            r#"{"alg":"none","typ":"test+jwt","kid":"device"}"#,
            r#"{"alg":"HS256","typ":"test+jwt","kid":"device"}"#,
            r#"{"alg":"ES256","typ":"test+jwt","kid":"device","crit":["x"]}"#,
            r#"{"alg":"ES256","typ":"test+jwt","kid":"device","jwk":{}}"#,
        ] {
            let forged = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
            assert!(
                matches!(verify::<Value>(&forged, &public, TYP).unwrap_err(), JwsError::Header(_)),
                "{header}"
            );
        }
    }

    #[tokio::test]
    async fn a_key_store_that_signs_with_another_key_is_found_out() {
        let public = TestKey::new(8).public_jwk().await.unwrap();
        let error = sign(&TestKey::new(7), &public, TYP, "device", &json!({})).await.unwrap_err();
        assert!(matches!(error, Error::DeviceKey(DeviceKeyError::Failed(_))), "{error}");
    }

    #[test]
    fn the_thumbprint_is_rfc_7638() {
        // The EC key of RFC 7517 appendix A.1; the digest of its canonical JSON was taken with Python's hashlib.
        let key = PublicJwk {
            kty: "EC".into(),
            crv: "P-256".into(),
            x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4".into(),
            y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM".into(),
        };
        let expected = "727f88fd634c0a57a1895a79d62ff4569384356d6ea447ab03cb046a6e619feb";
        assert_eq!(thumbprint(&key).to_string(), expected);
    }
}
