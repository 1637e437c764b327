//! Enrolling a device: its key counts only once the leader's SIM has signed a statement that names it.
//!
//! ```text
//! begin ─► statement (exact bytes, made by the server, read by the core)
//!   core  ─► EnrolmentClaims, signed by the new device key (typ trinhky-enrolment+jwt): proof of possession
//!   gate  ─► one SIM prompt ─► raw value over the signed attributes of the statement
//!   core  ─► CMS whose content-type is our own OID, so that it can never serve as a PDF signature
//! ```

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::ids::{AttemptId, DeviceId, PersonId};

use crate::bytes::{Base64Bytes, HexDigest};
use crate::signing::CodeKind;

/// `typ` of the JWS that carries [`EnrolmentClaims`].
pub const ENROLMENT_TYP: &str = "trinhky-enrolment+jwt";

/// A P-256 public key as RFC 7517 writes it; its RFC 7638 thumbprint names the device key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicJwk {
    /// Always `EC`.
    pub kty: String,
    /// Always `P-256`.
    pub crv: String,
    /// The x coordinate, base64url without padding.
    pub x: String,
    /// The y coordinate, base64url without padding.
    pub y: String,
}

impl PublicJwk {
    /// The text whose SHA-256 is the thumbprint (RFC 7638 section 3.1): required members, ordered, no white space.
    pub fn thumbprint_input(&self) -> String {
        let quoted = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
        format!(
            "{{\"crv\":{},\"kty\":{},\"x\":{},\"y\":{}}}",
            quoted(&self.crv),
            quoted(&self.kty),
            quoted(&self.x),
            quoted(&self.y)
        )
    }
}

/// `POST /v1/devices`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BeginEnrolmentRequest {
    /// What its owner calls it.
    pub name: String,
    /// `native` or `web`.
    pub client: String,
    /// The key made on the device; the private half never leaves it.
    pub public_key: PublicJwk,
}

/// Answer to [`BeginEnrolmentRequest`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BeginEnrolmentResponse {
    /// The device to be.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub device: DeviceId,
    /// The attempt that will ask the SIM.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub attempt: AttemptId,
    /// The exact bytes to be signed: an [`EnrolmentStatement`] in JSON.
    pub statement: Base64Bytes,
    /// The SIM certificate the administrator registered, DER.
    pub certificate: Base64Bytes,
    /// Its issuers, leaf's issuer first, DER.
    pub chain: Vec<Base64Bytes>,
    /// Single-use, goes into the claims.
    pub challenge: String,
    /// What the SIM will show, with the literal `%%VC%%` where the SIM writes its own code.
    pub display_text: String,
    /// How the code on both screens is made.
    pub code_kind: CodeKind,
    /// After this the statement must be asked for again.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// What the SIM signs once for a device. Its exact bytes are kept beside the CMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentStatement {
    /// Always 1.
    pub version: u32,
    /// Whose device.
    pub person: PersonId,
    /// Their name, for the reader.
    pub full_name: String,
    /// The device.
    pub device: DeviceId,
    /// RFC 7638 SHA-256 thumbprint of the device key.
    pub key_thumbprint: HexDigest,
    /// The device key itself, so that whoever holds the statement can check decisions with nothing else.
    pub public_key: PublicJwk,
    /// The number whose SIM signs, `84…` without plus.
    pub msisdn: String,
    /// SHA-256 of the SIM certificate.
    pub certificate: HexDigest,
    /// How the code on both screens is made: what this device will accept until it is enrolled anew. Statements of the
    /// first version do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_kind: Option<CodeKind>,
    /// When the statement was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
}

/// What the new device key signs to ask for its enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentClaims {
    /// The device.
    pub iss: DeviceId,
    /// The person.
    pub sub: PersonId,
    /// When signed, seconds since 1970.
    pub iat: i64,
    /// Not good after, seconds since 1970.
    pub exp: i64,
    /// The attempt.
    pub attempt: AttemptId,
    /// The server's challenge.
    pub challenge: String,
    /// SHA-256 of the statement's bytes.
    pub statement: HexDigest,
    /// SHA-256 of the signed attributes: what the SIM will sign.
    pub dtbs: HexDigest,
    /// SHA-256 of the SIM certificate.
    pub certificate: HexDigest,
    /// What the SIM will show.
    pub display_text: String,
}

/// `POST /v1/devices/{device}/confirm`: from here the SIM is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmEnrolmentRequest {
    /// Compact JWS, ES256 by the device key, of [`EnrolmentClaims`].
    pub jws: String,
}

/// A device as its owner sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceView {
    /// The device.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: DeviceId,
    /// What its owner calls it.
    pub name: String,
    /// `native` or `web`.
    pub client: String,
    /// `pending`, `active`, `frozen` or `revoked`.
    pub state: String,
    /// When the SIM signed its statement.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub enrolled_at: Option<OffsetDateTime>,
}

/// `PUT /v1/devices/{device}/push`: where Web Push reaches it (W3C Push API).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushSubscriptionRequest {
    /// The push service's URL for this device; a capability, never logged.
    pub endpoint: String,
    /// The browser's P-256 key, base64url.
    pub p256dh: String,
    /// The authentication secret, base64url.
    pub auth: String,
}

/// `GET /v1/push/key`: the application server key (RFC 8292).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushKeyView {
    /// Uncompressed P-256 point, base64url.
    pub public_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_input_is_ordered_and_without_space() {
        let key = PublicJwk { kty: "EC".into(), crv: "P-256".into(), x: "eA".into(), y: "eQ".into() };
        assert_eq!(key.thumbprint_input(), r#"{"crv":"P-256","kty":"EC","x":"eA","y":"eQ"}"#);
    }
}
