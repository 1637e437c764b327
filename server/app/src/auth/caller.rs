//! The person behind a request: bearer token → session → person → [`Actor`].

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use trinhky_domain::Digest;
use trinhky_domain::ids::SessionId;
use trinhky_domain::people::{Actor, Person};
use trinhky_protos::problem::Code;

use crate::app::App;
use crate::auth::token;
use crate::error::ApiError;
use crate::extract::bearer;

/// A signed-in, active person.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As the rules see them.
    pub actor: Actor,
    /// As others see them.
    pub person: Person,
    /// Their session.
    pub session: SessionId,
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let digest = Digest(token::digest(bearer(&parts.headers)?));
        let mut tx = app.store.read().await?;
        let unknown = |error: trinhky_store::Error| match error {
            trinhky_store::Error::NotFound(_) => Code::Unauthenticated.into(),
            other => ApiError::from(other),
        };
        let session = tx.session(digest, app.clock.now()).await.map_err(unknown)?;
        let person = tx.person(session.person).await.map_err(unknown)?;
        if !person.active {
            return Err(Code::Unauthenticated.into());
        }
        let actor = Actor {
            person: person.id,
            office: person.office,
            roles: person.roles.clone(),
            device: session.device,
            client: session.client,
        };
        Ok(Self { actor, person, session: session.id })
    }
}
