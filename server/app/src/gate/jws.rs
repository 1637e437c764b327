//! Compact JWS by a device key, as the gate reads them: ES256 and one `typ`, nothing negotiable.
//!
//! The key is an argument and never taken from the message. Times in the claims are compared by the caller with the
//! clock that was passed in; the library's own clock is not used.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::de::DeserializeOwned;
use trinhky_protos::device::PublicJwk;

/// Reads claims of `typ` signed by `key`, and the key id that the header names.
///
/// # Errors
/// A text for the log: which part is not as it should be.
pub(super) fn verified<C: DeserializeOwned + Clone>(
    jws: &str,
    key: &PublicJwk,
    typ: &str,
) -> Result<(C, String), String> {
    if jws.len() > LONGEST {
        return Err("the statement is too long".to_owned());
    }
    if key.kty != "EC" || key.crv != "P-256" {
        return Err("the device key is not a P-256 key".to_owned());
    }
    let header = decode_header(jws).map_err(|error| error.to_string())?;
    if header.typ.as_deref() != Some(typ) || header.alg != Algorithm::ES256 {
        return Err(format!("the statement's header is not {typ} by ES256"));
    }
    let key = DecodingKey::from_ec_components(&key.x, &key.y).map_err(|error| error.to_string())?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let token = decode::<C>(jws, &key, &validation).map_err(|error| error.to_string())?;
    let kid = header.kid.ok_or("the statement's header names no device")?;
    Ok((token.claims, kid))
}

/// Claims name every file and recipient of a bundle; far beyond any real one.
const LONGEST: usize = 1 << 20;
