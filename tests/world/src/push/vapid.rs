//! Who pushes: the `vapid` authorisation of RFC 8292, an ES256 JWT and the public key it verifies with.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{Refused, crypto::from_base64url};

/// A sender whose token was verified.
pub(crate) struct Sender {
    /// The application server's public point.
    pub(crate) key: Vec<u8>,
    /// `sub`.
    pub(crate) subject: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    sub: Option<String>,
}

/// Verifies `Authorization: vapid t=…, k=…` for a push to `origin`. Expiry is judged in the time given.
pub(crate) fn verify(authorization: &str, origin: &str, now: OffsetDateTime) -> Result<Sender, Refused> {
    let refuse = |reason: &str| Refused::new(401, format!("VAPID: {reason}"));
    let parameters = authorization
        .strip_prefix("vapid ")
        .or_else(|| authorization.strip_prefix("Vapid "))
        .ok_or_else(|| refuse("the scheme is vapid"))?;
    let parameter =
        |name: &str| parameters.split(',').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    let token = parameter("t").ok_or_else(|| refuse("no t"))?;
    let key = parameter("k").and_then(|key| from_base64url(key).ok()).ok_or_else(|| refuse("no k"))?;
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        return Err(refuse("t is not a JWT"));
    };
    let signed = format!("{header}.{claims}");
    let signature = from_base64url(signature).map_err(|_| refuse("signature is not base64url"))?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| refuse("the signature does not verify"))?;
    let header: Header = part(header).ok_or_else(|| refuse("header"))?;
    if header.alg != "ES256" {
        return Err(refuse("alg is ES256"));
    }
    let claims: Claims = part(claims).ok_or_else(|| refuse("claims"))?;
    if claims.aud != origin {
        return Err(refuse(&format!("aud is {origin}")));
    }
    let left = claims.exp - now.unix_timestamp();
    if !(0..=24 * 3600).contains(&left) {
        return Err(refuse("exp has passed or is more than 24 hours away"));
    }
    match claims.sub {
        Some(subject) if subject.starts_with("mailto:") || subject.starts_with("https://") => {
            Ok(Sender { key, subject })
        }
        _ => Err(refuse("sub is a mailto: or https: address")),
    }
}

fn part<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    serde_json::from_slice(&from_base64url(text).ok()?).ok()
}
