//! Signing in (password and TOTP, RFC 6238) and who I am.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::ids::{OfficeId, PersonId};

/// `POST /v1/sessions`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInRequest {
    /// The name the administrator gave the account.
    pub username: String,
    /// The password; never logged, never stored but as an Argon2id hash.
    pub password: String,
    /// The six digits of the authenticator.
    pub totp: String,
}

impl std::fmt::Debug for SignInRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInRequest").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Answer to [`SignInRequest`]. The token is sent as `Authorization: Bearer …` from then on.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInResponse {
    /// Opaque, 256 random bits; the server keeps its digest alone.
    pub token: String,
    /// When the session ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Who signed in.
    pub person: PersonView,
}

/// A person as others see them; also `GET /v1/me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonView {
    /// The person.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: PersonId,
    /// Họ và tên, as it stands on the certificate.
    pub full_name: String,
    /// Chức vụ.
    pub title: String,
    /// The office the person belongs to.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub office: OfficeId,
    /// What the person may do: `drafter`, `checker`, `leader`, `clerk`, `admin`.
    pub roles: Vec<String>,
}
