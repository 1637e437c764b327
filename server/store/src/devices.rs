//! Phones and browsers with a key of their own, where to push to, and what was pushed.

use time::OffsetDateTime;
use trinhky_domain::ids::{DeviceId, DocumentId, PersonId};
use trinhky_domain::people::Client;

use crate::error::{Error, Result};
use crate::tx::{Columns, Tx, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        ADD = "insert into devices (device_id, person_id, name, client, jwk, thumbprint, state, created)
            values ($1, $2, $3, $4, $5, $6, 'pending', $7)";
        DEVICE = "select device_id, person_id, name, client, jwk, thumbprint, state, statement, cms, created, enrolled,
            revoked from devices where device_id = $1";
        DEVICE_BY_THUMBPRINT = "select device_id, person_id, name, client, jwk, thumbprint, state, statement, cms,
            created, enrolled, revoked from devices where thumbprint = $1";
        DEVICES_OF = "select device_id, person_id, name, client, jwk, thumbprint, state, statement, cms, created,
            enrolled, revoked from devices where person_id = $1 order by created, device_id";
        PROPOSE = "update devices set statement = $2 where device_id = $1 and state = 'pending'";
        ENROL = "update devices set state = 'enrolled', statement = $2, cms = $3, enrolled = $4
            where device_id = $1 and state = 'pending'";
        REVOKE = "update devices set state = 'revoked', revoked = $2, push_endpoint = null, push_p256dh = null,
            push_auth = null where device_id = $1 and state <> 'revoked'";
        SET_PUSH = "update devices set push_endpoint = $2, push_p256dh = $3, push_auth = $4
            where device_id = $1 and state <> 'revoked'";
        PUSH_TARGETS = "select device_id, push_endpoint, push_p256dh, push_auth from devices
            where person_id = $1 and push_endpoint is not null and state <> 'revoked' order by device_id";
        NOTE_DELIVERY = "insert into deliveries (delivery_id, device_id, document_id, kind, at)
            values ($1, $2, $3, $4, $5) on conflict (delivery_id) do nothing";
        DELIVERED = "update deliveries set outcome = $2, done_at = $3 where delivery_id = $1 and done_at is null";
        DELIVERIES_OF = "select delivery_id, device_id, document_id, kind, outcome, at from deliveries
            where document_id = $1 order by at, delivery_id";
    }
}

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Its key is known; the leader's SIM has not yet vouched for it.
    Pending,
    /// The leader's SIM signed its enrolment statement.
    Enrolled,
    /// Barred for good.
    Revoked,
}

impl DeviceState {
    /// Every state with its word.
    pub const ALL: &'static [(Self, &'static str)] =
        &[(Self::Pending, "pending"), (Self::Enrolled, "enrolled"), (Self::Revoked, "revoked")];
}

/// A phone or browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Identity.
    pub id: DeviceId,
    /// Whose.
    pub person: PersonId,
    /// Its name for people.
    pub name: String,
    /// Which kind of program holds the key.
    pub client: Client,
    /// The public key, a JWK as JSON.
    pub jwk: String,
    /// RFC 7638 thumbprint of the key.
    pub thumbprint: String,
    /// Where it stands.
    pub state: DeviceState,
    /// The enrolment statement's bytes, once proposed.
    pub statement: Option<Vec<u8>>,
    /// The CMS over the statement, once the SIM signed it.
    pub cms: Option<Vec<u8>>,
    /// Since when it is known.
    pub created: OffsetDateTime,
    /// Since when it is enrolled.
    pub enrolled: Option<OffsetDateTime>,
    /// Since when it is barred.
    pub revoked: Option<OffsetDateTime>,
}

/// A push subscription (RFC 8030, RFC 8291).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Where to post.
    pub endpoint: String,
    /// The client's public key, base64url.
    pub p256dh: String,
    /// The client's secret, base64url.
    pub auth: String,
}

/// One push message, noted before it is handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Identity, made by the caller.
    pub id: String,
    /// To which device.
    pub device: DeviceId,
    /// About which document.
    pub document: Option<DocumentId>,
    /// What about.
    pub kind: String,
    /// What came of it; absent while it is under way.
    pub outcome: Option<String>,
    /// When it was noted.
    pub at: OffsetDateTime,
}

impl Tx {
    /// Makes a device known; it counts for nothing until it is enrolled.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the key is known already.
    pub async fn add_device(&mut self, device: &Device) -> Result<()> {
        let statement = query(sql::ADD)
            .bind(device.id.to_string())
            .bind(device.person.to_string())
            .bind(device.name.clone())
            .bind(device.client.as_str())
            .bind(device.jwk.clone())
            .bind(device.thumbprint.clone())
            .bind(micros(device.created));
        self.change_one("device", statement).await?;
        match &device.statement {
            Some(statement) => self.propose_enrolment(device.id, statement.clone()).await,
            None => Ok(()),
        }
    }

    /// A device.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn device(&mut self, id: DeviceId) -> Result<Device> {
        let row = self.one("device", query(sql::DEVICE).bind(id.to_string())).await?;
        device(&Columns::of("devices", "device_id", &row))
    }

    /// The device with this key.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn device_by_thumbprint(&mut self, thumbprint: &str) -> Result<Device> {
        let row = self.one("device", query(sql::DEVICE_BY_THUMBPRINT).bind(thumbprint.to_owned())).await?;
        device(&Columns::of("devices", "device_id", &row))
    }

    /// A person's devices, oldest first.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn devices_of(&mut self, person: PersonId) -> Result<Vec<Device>> {
        let rows = self.all("device", query(sql::DEVICES_OF).bind(person.to_string())).await?;
        rows.iter().map(|row| device(&Columns::of("devices", "device_id", row))).collect()
    }

    /// Keeps the statement the SIM is asked to sign.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) unless the device is pending.
    pub async fn propose_enrolment(&mut self, id: DeviceId, statement: Vec<u8>) -> Result<()> {
        self.change_one("device", query(sql::PROPOSE).bind(id.to_string()).bind(statement)).await
    }

    /// The SIM vouched for the device.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) unless the device is pending.
    pub async fn enrol_device(
        &mut self,
        id: DeviceId,
        statement: Vec<u8>,
        cms: Vec<u8>,
        now: OffsetDateTime,
    ) -> Result<()> {
        let change = query(sql::ENROL).bind(id.to_string()).bind(statement).bind(cms).bind(micros(now));
        self.change_one("device", change).await
    }

    /// Bars a device for good; it is pushed to no more (R46, R48).
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when it is barred already.
    pub async fn revoke_device(&mut self, id: DeviceId, now: OffsetDateTime) -> Result<()> {
        self.change_one("device", query(sql::REVOKE).bind(id.to_string()).bind(micros(now))).await
    }

    /// Sets or clears where a device is pushed to.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the device is barred or unknown.
    pub async fn set_push(&mut self, id: DeviceId, push: Option<&Push>) -> Result<()> {
        let statement = query(sql::SET_PUSH)
            .bind(id.to_string())
            .bind(push.map(|push| push.endpoint.clone()))
            .bind(push.map(|push| push.p256dh.clone()))
            .bind(push.map(|push| push.auth.clone()));
        self.change_one("device", statement).await
    }

    /// Where a person is pushed to.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn push_targets(&mut self, person: PersonId) -> Result<Vec<(DeviceId, Push)>> {
        let rows = self.all("device", query(sql::PUSH_TARGETS).bind(person.to_string())).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of("devices", "device_id", row);
                let push = Push {
                    endpoint: columns.text("push_endpoint")?,
                    p256dh: columns.text("push_p256dh")?,
                    auth: columns.text("push_auth")?,
                };
                Ok((columns.word("device_id")?, push))
            })
            .collect()
    }

    /// Notes a push message before it is handed over; noting it twice is once.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn note_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        let statement = query(sql::NOTE_DELIVERY)
            .bind(delivery.id.clone())
            .bind(delivery.device.to_string())
            .bind(delivery.document.map(|document| document.to_string()))
            .bind(delivery.kind.clone())
            .bind(micros(delivery.at));
        self.change("delivery", statement).await.map(drop)
    }

    /// Notes what came of a push message.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when that is noted already.
    pub async fn delivered(&mut self, id: &str, outcome: &str, at: OffsetDateTime) -> Result<()> {
        let statement = query(sql::DELIVERED).bind(id.to_owned()).bind(outcome.to_owned()).bind(micros(at));
        self.change_one("delivery", statement).await
    }

    /// What was pushed about a document.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn deliveries_of(&mut self, document: DocumentId) -> Result<Vec<Delivery>> {
        let rows = self.all("delivery", query(sql::DELIVERIES_OF).bind(document.to_string())).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of("deliveries", "delivery_id", row);
                Ok(Delivery {
                    id: columns.text("delivery_id")?,
                    device: columns.word("device_id")?,
                    document: columns.word_or_null("document_id")?,
                    kind: columns.text("kind")?,
                    outcome: columns.text_or_null("outcome")?,
                    at: columns.time("at")?,
                })
            })
            .collect()
    }
}

fn device(columns: &Columns<'_>) -> Result<Device, Error> {
    let word = columns.text("state")?;
    let state = DeviceState::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state);
    Ok(Device {
        id: columns.word("device_id")?,
        person: columns.word("person_id")?,
        name: columns.text("name")?,
        client: columns.word("client")?,
        jwk: columns.text("jwk")?,
        thumbprint: columns.text("thumbprint")?,
        state: state.ok_or_else(|| columns.corrupt(format!("state {word}")))?,
        statement: columns.bytes_or_null("statement")?,
        cms: columns.bytes_or_null("cms")?,
        created: columns.time("created")?,
        enrolled: columns.time_or_null("enrolled")?,
        revoked: columns.time_or_null("revoked")?,
    })
}
