//! Compact JWS (RFC 7515) with ES256, as device keys sign decisions and enrolments: read, never made here.
//!
//! One algorithm, one serialisation, three header members, none negotiable. Shared by `serve`, which takes a decision
//! in, and `gate`, which believes nobody's word that it was checked.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use trinhky_domain::Digest;
use trinhky_protos::device::PublicJwk;

/// A JWS whose signature was found good; only [`verify`] makes one.
#[derive(Debug, Clone)]
pub struct Verified<C> {
    claims: C,
    kid: String,
    digest: Digest,
}

impl<C> Verified<C> {
    /// What was signed.
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// What was signed.
    pub fn into_claims(self) -> C {
        self.claims
    }

    /// The device that the header names.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// SHA-256 of the compact text.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

/// Why a JWS is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three base64url parts of sane length.
    #[error("not a compact JWS")]
    NotCompact,
    /// The header says something else than expected, or more.
    #[error("the header is not {{alg: ES256, typ: {0}, kid}}")]
    Header(&'static str),
    /// The key is not a P-256 key.
    #[error("the key is not a P-256 public key")]
    Key,
    /// The signature is not by that key.
    #[error("not signed by this key")]
    Signature,
    /// The claims are not those of the contract.
    #[error("the claims are not understood: {0}")]
    Claims(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// The device that the header names, before anything is verified: good only for finding the key to verify with.
pub fn kid_of(compact: &str) -> Option<String> {
    let (header, _) = compact.get(..compact.len().min(LONGEST))?.split_once('.')?;
    serde_json::from_slice::<Header>(&decode(header).ok()?).ok().map(|header| header.kid)
}

/// Reads claims of `typ`, signed by `key`. Times in the claims are the caller's to judge.
///
/// # Errors
/// [`JwsError`] says which part is wrong.
pub fn verify<C: DeserializeOwned>(
    compact: &str,
    key: &PublicJwk,
    typ: &'static str,
) -> Result<Verified<C>, JwsError> {
    if compact.len() > LONGEST {
        return Err(JwsError::NotCompact);
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(JwsError::NotCompact)?;
    let (header, claims) = signed.split_once('.').ok_or(JwsError::NotCompact)?;
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| JwsError::Header(typ))?;
    if header.alg != "ES256" || header.typ != typ {
        return Err(JwsError::Header(typ));
    }
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(key)?)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| JwsError::Signature)?;
    let claims =
        serde_json::from_slice(&decode(claims)?).map_err(|error| JwsError::Claims(error.to_string()))?;
    Ok(Verified { claims, kid: header.kid, digest: Digest::of(compact.as_bytes()) })
}

/// The RFC 7638 thumbprint of a key.
pub fn thumbprint(key: &PublicJwk) -> Digest {
    Digest::of(key.thumbprint_input().as_bytes())
}

/// The key as an uncompressed point.
///
/// # Errors
/// [`JwsError::Key`] unless it is a P-256 key with two coordinates of 32 bytes. Whether the point is on the curve is
/// found out when it is used.
pub fn point(key: &PublicJwk) -> Result<[u8; 65], JwsError> {
    if key.kty != "EC" || key.crv != "P-256" {
        return Err(JwsError::Key);
    }
    let mut point = [4; 65];
    let (_, coordinates) = point.split_at_mut(1);
    for (place, text) in coordinates.chunks_exact_mut(32).zip([&key.x, &key.y]) {
        let bytes = decode(text).ok().filter(|bytes| bytes.len() == place.len()).ok_or(JwsError::Key)?;
        place.copy_from_slice(&bytes);
    }
    Ok(point)
}

fn decode(part: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::NotCompact)
}

/// Claims name every file and recipient of a bundle; 1 MB is far beyond any real one.
const LONGEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    const TYP: &str = "test+jwt";

    fn key() -> (EcdsaKeyPair, PublicJwk) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = pair.public_key().as_ref().to_vec();
        let text = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        let jwk = PublicJwk { kty: "EC".into(), crv: "P-256".into(), x: text(1..33), y: text(33..65) };
        (pair, jwk)
    }

    fn sign(pair: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(header), text(claims));
        let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("signs");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn what_was_signed_is_what_is_read() {
        let (pair, jwk) = key();
        let jws = sign(&pair, &json!({"alg": "ES256", "typ": TYP, "kid": "d"}), &json!({"a": 1}));
        let verified = verify::<Value>(&jws, &jwk, TYP).expect("verifies");
        assert_eq!((verified.claims(), verified.kid()), (&json!({"a": 1}), "d"));
        assert_eq!(verify::<Value>(&jws, &key().1, TYP).err(), Some(JwsError::Signature));
        assert_eq!(verify::<Value>(&jws, &jwk, "other+jwt").err(), Some(JwsError::Header("other+jwt")));
        for text in ["", ".", "..", "a.b", &jws[1..], &format!("{jws}=")] {
            assert!(verify::<Value>(text, &jwk, TYP).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_in_the_header_is_negotiated_or_goes_unread() {
        let (pair, jwk) = key();
        for header in [
            json!({"alg": "none", "typ": TYP, "kid": "d"}),
            json!({"alg": "HS256", "typ": TYP, "kid": "d"}),
            json!({"alg": "ES256", "typ": TYP}),
            json!({"alg": "ES256", "typ": TYP, "kid": "d", "crit": ["b64"]}),
            json!({"alg": "ES256", "typ": TYP, "kid": "d", "jwk": {}}),
        ] {
            let jws = sign(&pair, &header, &json!({}));
            assert_eq!(verify::<Value>(&jws, &jwk, TYP).err(), Some(JwsError::Header(TYP)), "{header}");
        }
    }

    #[test]
    fn other_keys_are_no_keys() {
        let (_, jwk) = key();
        for wrong in [
            PublicJwk { kty: "RSA".into(), ..jwk.clone() },
            PublicJwk { crv: "P-384".into(), ..jwk.clone() },
            PublicJwk { x: String::new(), ..jwk.clone() },
            PublicJwk { y: "AA".into(), ..jwk.clone() },
        ] {
            assert_eq!(point(&wrong), Err(JwsError::Key));
        }
    }
}
