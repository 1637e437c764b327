//! Signing in: password and authenticator code (RFC 6238) for now; the answer is the session everything else needs.

use time::OffsetDateTime;
use trinhky_protos::session::{PersonView, SignInRequest, SignInResponse};

use crate::api::Server;
use crate::error::Error;
use crate::fetch::Shelf;
use crate::keep::recall;
use crate::platform::Platform;

/// A signed-in person on this device.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) platform: Platform,
    pub(crate) server: Server,
    pub(crate) shelf: Shelf,
    person: PersonView,
    token: String,
    expires_at: OffsetDateTime,
}

impl Server {
    /// Signs in; the server that is returned is the one this person sees.
    ///
    /// # Errors
    /// [`Error::Refused`] with `bad_credentials` or `rate_limited`; [`Error::Transport`].
    pub async fn sign_in(
        &self,
        username: &str,
        password: &str,
        totp: &str,
    ) -> Result<(Self, SignInResponse), Error> {
        let request =
            SignInRequest { username: username.into(), password: password.into(), totp: totp.into() };
        let response: SignInResponse = self.act("the sign-in", "/v1/sessions".into(), &request).await?;
        Ok((self.with_token(&response.token), response))
    }
}

impl Session {
    /// Signs in.
    ///
    /// # Errors
    /// [`Error::Refused`] with `bad_credentials` or `rate_limited`; [`Error::Transport`].
    pub async fn sign_in(
        platform: Platform,
        username: &str,
        password: &str,
        totp: &str,
    ) -> Result<Self, Error> {
        let (server, response) = Server::new(platform.transport.clone(), platform.chance.clone())
            .sign_in(username, password, totp)
            .await?;
        let SignInResponse { token, expires_at, person } = response;
        Ok(Self { platform, server, shelf: Shelf::default(), person, token, expires_at })
    }

    /// A session that was kept by the app (in the key store, never in plain storage): asks the server who it is.
    ///
    /// # Errors
    /// [`Error::Refused`] with `unauthenticated` if it has ended; [`Error::Transport`].
    pub async fn resume(platform: Platform, token: &str, expires_at: OffsetDateTime) -> Result<Self, Error> {
        let server = Server::new(platform.transport.clone(), platform.chance.clone()).with_token(token);
        let person = server.get("who am I", "/v1/me".into()).await?;
        Ok(Self { platform, server, shelf: Shelf::default(), person, token: token.into(), expires_at })
    }

    /// Ends the session on the server.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Refused`].
    pub async fn sign_out(self) -> Result<(), Error> {
        self.server.delete("sign out", "/v1/sessions/current".into()).await
    }

    /// Who is signed in.
    pub fn person(&self) -> &PersonView {
        &self.person
    }

    /// Whether this device is enrolled for this person, as far as it remembers.
    ///
    /// # Errors
    /// [`Error::Keep`].
    pub fn is_enrolled(&self) -> Result<bool, Error> {
        Ok(recall(self.platform.keep.as_ref())?.pin.is_some_and(|pin| pin.person == self.person.id))
    }

    /// The session's token: a secret, for the key store only.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// When the session ends by itself.
    pub fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }
}
