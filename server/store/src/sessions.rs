//! Signed-in sessions. The bearer token itself is never stored, only its SHA-256.

use time::OffsetDateTime;
use trinhky_domain::Digest;
use trinhky_domain::ids::{DeviceId, PersonId, SessionId};
use trinhky_domain::people::Client;

use crate::error::Result;
use crate::tx::{Columns, Tx, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        OPEN = "insert into sessions (session_id, token_sha256, person_id, client, device_id, created, expires)
            values ($1, $2, $3, $4, $5, $6, $7)";
        SESSION = "select session_id, token_sha256, person_id, client, device_id, created, expires from sessions
            where token_sha256 = $1 and expires > $2";
        BIND_DEVICE = "update sessions set device_id = $2 where session_id = $1 and
            (select person_id from devices where device_id = $2) = person_id";
        CLOSE = "delete from sessions where session_id = $1";
        CLOSE_ALL = "delete from sessions where person_id = $1";
        PURGE = "delete from sessions where expires <= $1";
    }
}

/// A signed-in session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Identity.
    pub id: SessionId,
    /// SHA-256 of the bearer token.
    pub token_sha256: Digest,
    /// Who signed in.
    pub person: PersonId,
    /// With which kind of program.
    pub client: Client,
    /// On which device of theirs, once that is known.
    pub device: Option<DeviceId>,
    /// Since when.
    pub created: OffsetDateTime,
    /// Until when.
    pub expires: OffsetDateTime,
}

impl Tx {
    /// Stores a session.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the token is taken.
    pub async fn open_session(&mut self, session: &Session) -> Result<()> {
        let statement = query(sql::OPEN)
            .bind(session.id.to_string())
            .bind(session.token_sha256.to_string())
            .bind(session.person.to_string())
            .bind(session.client.as_str())
            .bind(session.device.map(|device| device.to_string()))
            .bind(micros(session.created))
            .bind(micros(session.expires));
        self.change_one("session", statement).await
    }

    /// The session of a token, unless it has expired.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn session(&mut self, token_sha256: Digest, now: OffsetDateTime) -> Result<Session> {
        let statement = query(sql::SESSION).bind(token_sha256.to_string()).bind(micros(now));
        let row = self.one("session", statement).await?;
        let columns = Columns::of("sessions", "session_id", &row);
        Ok(Session {
            id: columns.word("session_id")?,
            token_sha256: columns.word("token_sha256")?,
            person: columns.word("person_id")?,
            client: columns.word("client")?,
            device: columns.word_or_null("device_id")?,
            created: columns.time("created")?,
            expires: columns.time("expires")?,
        })
    }

    /// Ties a session to a device of the same person.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the device is another person's.
    pub async fn bind_session_device(&mut self, session: SessionId, device: DeviceId) -> Result<()> {
        let statement = query(sql::BIND_DEVICE).bind(session.to_string()).bind(device.to_string());
        self.change_one("session", statement).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn close_session(&mut self, session: SessionId) -> Result<()> {
        self.change("session", query(sql::CLOSE).bind(session.to_string())).await.map(drop)
    }

    /// Ends every session of a person; says how many there were.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn close_sessions_of(&mut self, person: PersonId) -> Result<u64> {
        self.change("session", query(sql::CLOSE_ALL).bind(person.to_string())).await
    }

    /// Forgets expired sessions; says how many there were.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn purge_sessions(&mut self, now: OffsetDateTime) -> Result<u64> {
        self.change("session", query(sql::PURGE).bind(micros(now))).await
    }
}
