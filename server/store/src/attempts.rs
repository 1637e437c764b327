//! Attempts: row ↔ domain in one exhaustive match. What was received stays in the row: it is evidence.

use sqlx::any::AnyRow;
use time::OffsetDateTime;
use trinhky_domain::document::Version;
use trinhky_domain::ids::{AttemptId, DeviceId, DocumentId, PersonId};
use trinhky_domain::signing::{Attempt, AttemptState, AttemptStateName, CmsFrom, Failure, Purpose};
use trinhky_domain::{Digest, Write};

use crate::error::Result;
use crate::tx::{Columns, Statement, Tx, micros, query, sound};

macro_rules! columns {
    () => {
        "attempt_id, version, state, document_id, signer, head_sha256, device_id, person_id, msisdn,
            certificate_sha256, dtbs, urgency, decision_id, until, heading_since, mssp_transaction, signature, cms,
            cms_from, stamped_cms, stamped, sealed_signature, protocol, created, changed"
    };
}
pub(crate) use columns;

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        ATTEMPT = concat!("select ", columns!(), " from attempts where attempt_id = $1");
        OF_DOCUMENT = concat!("select ", columns!(), " from attempts where document_id = $1
            order by created, attempt_id");
        IN_STATE = concat!("select ", columns!(), " from attempts where state = $1 order by created, attempt_id");
        INSERT = "insert into attempts (attempt_id, version, state, document_id, signer, head_sha256, device_id,
                person_id, msisdn, certificate_sha256, dtbs, urgency, protocol, created, changed)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        UPDATE = "update attempts set version = $2, state = $3, decision_id = coalesce($4, decision_id),
                until = coalesce($5, until), heading_since = coalesce($6, heading_since),
                mssp_transaction = coalesce($7, mssp_transaction), signature = coalesce($8, signature),
                cms = coalesce($9, cms), cms_from = coalesce($10, cms_from), stamped_cms = coalesce($11, stamped_cms),
                stamped = coalesce($12, stamped), sealed_signature = coalesce($13, sealed_signature),
                protocol = $14, urgency = $15, due = $16, changed = $17
            where attempt_id = $1 and version = $18";
        UPDATE_LEASED = "update attempts set version = $2, state = $3, decision_id = coalesce($4, decision_id),
                until = coalesce($5, until), heading_since = coalesce($6, heading_since),
                mssp_transaction = coalesce($7, mssp_transaction), signature = coalesce($8, signature),
                cms = coalesce($9, cms), cms_from = coalesce($10, cms_from), stamped_cms = coalesce($11, stamped_cms),
                stamped = coalesce($12, stamped), sealed_signature = coalesce($13, sealed_signature),
                protocol = $14, urgency = $15, due = $16, changed = $17
            where attempt_id = $1 and version = $18 and lease_token = $19";
        HELD_OF = concat!("select ", columns!(), " from attempts where person_id = $1 and state = 'signed_held'
            order by created, attempt_id");
        FORGET_PLAIN = "update attempts set signature = null, cms = null, cms_from = null, stamped_cms = null
            where attempt_id = $1 and state = 'signed_held'";
        /// Those that come after it in the queue of its number and stood at the head before: their time begins anew when they
        /// stand there again.
        OVERTAKE = "update attempts set heading_since = null where state = 'approved' and heading_since is not null
            and attempt_id <> $1 and msisdn = $2 and (urgency < $3 or (urgency = $3 and (created > $4
                or (created = $4 and attempt_id > $1))))";
        /// Nothing is left of it.
        DESTROY = "update attempts set signature = null, cms = null, cms_from = null, stamped_cms = null, stamped = null,
                sealed_signature = null, protocol = null
            where attempt_id = $1 and state = 'voided'";
        SIGNATURE = "select attempt_id, signature, cms, cms_from, stamped_cms, stamped from attempts
            where attempt_id = $1 and signature is not null";
        SET_DOSSIER = "update attempts set dossier = $2 where attempt_id = $1";
        DOSSIER = "select attempt_id, dossier from attempts where attempt_id = $1";
        WATCHED_AT = "select attempt_id, watched_at from attempts where attempt_id = $1";
        SET_WAITING_FOR = "update attempts set waiting_for = $2 where attempt_id = $1";
        WAITING_FOR = "select attempt_id, waiting_for from attempts where attempt_id = $1";
    }
}

/// What came of a signature, as evidence; `None` where it has not come that far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The raw value.
    pub raw: Vec<u8>,
    /// The detached CMS without a time stamp.
    pub cms: Option<Vec<u8>>,
    /// Who assembled it.
    pub cms_from: Option<CmsFrom>,
    /// The CMS with its time stamp.
    pub stamped_cms: Option<Vec<u8>>,
    /// The time stamp's time.
    pub stamped: Option<OffsetDateTime>,
}

impl Tx {
    /// An attempt.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound), [`Corrupt`](crate::Error::Corrupt).
    pub async fn attempt(&mut self, id: AttemptId) -> Result<Attempt> {
        let row = self.one("attempt", query(sql::ATTEMPT).bind(id.to_string())).await?;
        attempt(&row)
    }

    /// A document's attempts, oldest first.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn attempts_of(&mut self, document: DocumentId) -> Result<Vec<Attempt>> {
        let rows = self.all("attempt", query(sql::OF_DOCUMENT).bind(document.to_string())).await?;
        rows.iter().map(attempt).collect()
    }

    /// Attempts in any of the states, oldest first within each; a corrupt one is logged and set aside.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn attempts_in(&mut self, states: &[AttemptStateName]) -> Result<Vec<Attempt>> {
        let mut attempts = Vec::new();
        for state in states {
            let rows = self.all("attempt", query(sql::IN_STATE).bind(state.as_str())).await?;
            for row in &rows {
                attempts.extend(sound(attempt(row))?);
            }
        }
        Ok(attempts)
    }

    /// A person's late signatures that wait for a decision, oldest first.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn held_of(&mut self, person: PersonId) -> Result<Vec<Attempt>> {
        let rows = self.all("attempt", query(sql::HELD_OF).bind(person.to_string())).await?;
        rows.iter().map(attempt).collect()
    }

    /// What was received for an attempt, also after it was embedded; `None` before the raw signature came.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn signature_of(&mut self, id: AttemptId) -> Result<Option<Signature>> {
        let row = self.optional("attempt", query(sql::SIGNATURE).bind(id.to_string())).await?;
        let Some(row) = row else { return Ok(None) };
        let columns = Columns::of("attempts", "attempt_id", &row);
        Ok(Some(Signature {
            raw: columns.bytes("signature")?,
            cms: columns.bytes_or_null("cms")?,
            cms_from: columns.word_or_null("cms_from")?,
            stamped_cms: columns.bytes_or_null("stamped_cms")?,
            stamped: columns.time_or_null("stamped")?,
        }))
    }

    /// Keeps what the server must remember of an attempt besides its state (opaque here).
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when there is no such attempt.
    pub async fn set_dossier(&mut self, id: AttemptId, dossier: &str) -> Result<()> {
        self.change_one("attempt", query(sql::SET_DOSSIER).bind(id.to_string()).bind(dossier.to_owned()))
            .await
    }

    /// What the server remembers of an attempt.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn dossier(&mut self, id: AttemptId) -> Result<Option<String>> {
        let row = self.one("attempt", query(sql::DOSSIER).bind(id.to_string())).await?;
        Columns::of("attempts", "attempt_id", &row).text_or_null("dossier")
    }

    /// When the leader's device was last seen watching.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn watched_at(&mut self, id: AttemptId) -> Result<Option<OffsetDateTime>> {
        let row = self.one("attempt", query(sql::WATCHED_AT).bind(id.to_string())).await?;
        Columns::of("attempts", "attempt_id", &row).time_or_null("watched_at")
    }

    /// Notes what a verified signature waits for (`timestamp`, `revocation`), for people to see.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when there is no such attempt.
    pub async fn set_waiting_for(&mut self, id: AttemptId, what: Option<&str>) -> Result<()> {
        let statement = query(sql::SET_WAITING_FOR).bind(id.to_string()).bind(what.map(str::to_owned));
        self.change_one("attempt", statement).await
    }

    /// What the attempt waits for.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn waiting_for(&mut self, id: AttemptId) -> Result<Option<String>> {
        let row = self.one("attempt", query(sql::WAITING_FOR).bind(id.to_string())).await?;
        Columns::of("attempts", "attempt_id", &row).text_or_null("waiting_for")
    }

    pub(crate) async fn write_attempt(
        &mut self,
        write: &Write<Attempt>,
        lease: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<()> {
        match (write, lease) {
            (Write::New(to), _) => self.change_one("attempt", insert(to)).await,
            (Write::Moved { to, expected }, None) => {
                self.change_one("attempt", update(sql::UPDATE, to, *expected, now)).await
            }
            (Write::Moved { to, expected }, Some(token)) => {
                let statement = update(sql::UPDATE_LEASED, to, *expected, now).bind(token.to_owned());
                self.change_one("attempt", statement).await
            }
        }?;
        let to = write.to();
        if matches!(to.state, AttemptState::Approved { heading_since: None, .. }) {
            let overtake = query(sql::OVERTAKE)
                .bind(to.id.to_string())
                .bind(to.msisdn.digits().to_owned())
                .bind(to.urgency.rank())
                .bind(micros(to.created));
            self.change("attempt", overtake).await?;
        }
        let left = match to.state.name() {
            // Kept sealed and nowhere else: a held signature must not be usable by whoever reads the row.
            AttemptStateName::SignedHeld => sql::FORGET_PLAIN,
            AttemptStateName::Voided => sql::DESTROY,
            _ => return Ok(()),
        };
        self.change_one("attempt", query(left).bind(to.id.to_string())).await
    }
}

fn insert(to: &Attempt) -> Statement {
    let (document, signer, head, device) = match to.purpose {
        Purpose::Document { document, signer, head } => (Some(document), Some(signer), Some(head), None),
        Purpose::Enrolment { device } => (None, None, None, Some(device)),
    };
    query(sql::INSERT)
        .bind(to.id.to_string())
        .bind(i64::from(to.version.0))
        .bind(to.state.name().as_str())
        .bind(document.map(|id: DocumentId| id.to_string()))
        .bind(signer.map(i64::from))
        .bind(head.map(|head: Digest| head.to_string()))
        .bind(device.map(|id: DeviceId| id.to_string()))
        .bind(to.person.to_string())
        .bind(to.msisdn.digits().to_owned())
        .bind(to.certificate.to_string())
        .bind(to.dtbs.to_string())
        .bind(to.urgency.rank())
        .bind(to.protocol.clone())
        .bind(micros(to.created))
        .bind(micros(to.changed))
}

/// What a state knows, column by column; absent means: leave what is there.
#[derive(Default)]
struct Known {
    decision: Option<String>,
    until: Option<i64>,
    heading_since: Option<i64>,
    transaction: Option<String>,
    signature: Option<Vec<u8>>,
    cms: Option<Vec<u8>>,
    cms_from: Option<&'static str>,
    stamped_cms: Option<Vec<u8>>,
    stamped: Option<i64>,
    sealed: Option<Vec<u8>>,
}

fn known(state: &AttemptState) -> Known {
    let none = Known::default();
    match state {
        AttemptState::Prepared | AttemptState::Sending | AttemptState::Ended(_) | AttemptState::Voided => {
            none
        }
        AttemptState::Approved { decision, until, heading_since } => Known {
            decision: Some(decision.to_string()),
            until: Some(micros(*until)),
            heading_since: heading_since.map(micros),
            ..none
        },
        AttemptState::Accepted { transaction } => Known { transaction: Some(transaction.clone()), ..none },
        AttemptState::Indeterminate { transaction } => Known { transaction: transaction.clone(), ..none },
        AttemptState::SignedRaw { transaction, signature } => {
            Known { transaction: transaction.clone(), signature: Some(signature.clone()), ..none }
        }
        AttemptState::Verified { signature, cms, cms_from } => Known {
            signature: Some(signature.clone()),
            cms: Some(cms.clone()),
            cms_from: Some(cms_from.as_str()),
            ..none
        },
        AttemptState::Stamped { cms, cms_from, stamped } => Known {
            cms_from: Some(cms_from.as_str()),
            stamped_cms: Some(cms.clone()),
            stamped: Some(micros(*stamped)),
            ..none
        },
        AttemptState::Embedded { cms_from } => Known { cms_from: Some(cms_from.as_str()), ..none },
        AttemptState::SignedHeld { sealed } => Known { sealed: Some(sealed.clone()), ..none },
    }
}

fn update(sql: &'static str, to: &Attempt, expected: Version, now: OffsetDateTime) -> Statement {
    let known = known(&to.state);
    query(sql)
        .bind(to.id.to_string())
        .bind(i64::from(to.version.0))
        .bind(to.state.name().as_str())
        .bind(known.decision)
        .bind(known.until)
        .bind(known.heading_since)
        .bind(known.transaction)
        .bind(known.signature)
        .bind(known.cms)
        .bind(known.cms_from)
        .bind(known.stamped_cms)
        .bind(known.stamped)
        .bind(known.sealed)
        .bind(to.protocol.clone())
        .bind(to.urgency.rank())
        .bind(is_the_gates(to.state.name()).then(|| micros(now)))
        .bind(micros(to.changed))
        .bind(i64::from(expected.0))
}

/// Whether the gate is to go on with an attempt in this state.
const fn is_the_gates(state: AttemptStateName) -> bool {
    use AttemptStateName::{Accepted, Approved, Indeterminate, Sending};
    matches!(state, Approved | Sending | Accepted | Indeterminate)
}

pub(crate) fn attempt(row: &AnyRow) -> Result<Attempt> {
    let columns = Columns::of("attempts", "attempt_id", row);
    let document = columns.word_or_null("document_id")?;
    let signer = columns.number_or_null("signer")?;
    let head = columns.word_or_null("head_sha256")?;
    let device = columns.word_or_null("device_id")?;
    let purpose = match (document, signer, head, device) {
        (Some(document), Some(signer), Some(head), None) => Purpose::Document { document, signer, head },
        (None, None, None, Some(device)) => Purpose::Enrolment { device },
        _ => return Err(columns.corrupt("neither for a document nor for a device")),
    };
    Ok(Attempt {
        id: columns.word("attempt_id")?,
        purpose,
        person: columns.word("person_id")?,
        msisdn: columns.word("msisdn")?,
        certificate: columns.word("certificate_sha256")?,
        dtbs: columns.word("dtbs")?,
        urgency: crate::documents::urgency(&columns)?,
        state: state(&columns)?,
        protocol: columns.text_or_null("protocol")?,
        created: columns.time("created")?,
        changed: columns.time("changed")?,
        version: Version(columns.number("version")?),
    })
}

fn state(columns: &Columns<'_>) -> Result<AttemptState> {
    let name: AttemptStateName = columns.word("state")?;
    let transaction = columns.text_or_null("mssp_transaction")?;
    let lacks = |what: &str| columns.corrupt(format!("{name} without {what}"));
    let cms_from = || columns.word_or_null("cms_from")?.ok_or_else(|| lacks("cms_from"));
    Ok(match name {
        AttemptStateName::Prepared => AttemptState::Prepared,
        AttemptStateName::Approved => AttemptState::Approved {
            decision: columns.word_or_null("decision_id")?.ok_or_else(|| lacks("a decision"))?,
            until: columns.time_or_null("until")?.ok_or_else(|| lacks("its end"))?,
            heading_since: columns.time_or_null("heading_since")?,
        },
        AttemptStateName::Sending => AttemptState::Sending,
        AttemptStateName::Accepted => {
            AttemptState::Accepted { transaction: transaction.ok_or_else(|| lacks("a transaction"))? }
        }
        AttemptStateName::Indeterminate => AttemptState::Indeterminate { transaction },
        AttemptStateName::SignedRaw => {
            let signature = columns.bytes_or_null("signature")?.ok_or_else(|| lacks("a signature"))?;
            AttemptState::SignedRaw { transaction, signature }
        }
        AttemptStateName::Verified => AttemptState::Verified {
            signature: columns.bytes_or_null("signature")?.ok_or_else(|| lacks("a signature"))?,
            cms: columns.bytes_or_null("cms")?.ok_or_else(|| lacks("a CMS"))?,
            cms_from: cms_from()?,
        },
        AttemptStateName::Stamped => AttemptState::Stamped {
            cms: columns.bytes_or_null("stamped_cms")?.ok_or_else(|| lacks("a stamped CMS"))?,
            cms_from: cms_from()?,
            stamped: columns.time_or_null("stamped")?.ok_or_else(|| lacks("a time stamp"))?,
        },
        AttemptStateName::Embedded => AttemptState::Embedded { cms_from: cms_from()? },
        AttemptStateName::SignedHeld => AttemptState::SignedHeld {
            sealed: columns
                .bytes_or_null("sealed_signature")?
                .ok_or_else(|| lacks("the sealed signature"))?,
        },
        AttemptStateName::Voided => AttemptState::Voided,
        AttemptStateName::Declined => AttemptState::Ended(Failure::Declined),
        AttemptStateName::Expired => AttemptState::Ended(Failure::Expired),
        AttemptStateName::Lapsed => AttemptState::Ended(Failure::Lapsed),
        AttemptStateName::Undeliverable => AttemptState::Ended(Failure::Undeliverable),
        AttemptStateName::Blocked => AttemptState::Ended(Failure::Blocked),
        AttemptStateName::NotEnrolled => AttemptState::Ended(Failure::NotEnrolled),
        AttemptStateName::CertInvalid => AttemptState::Ended(Failure::CertInvalid),
        AttemptStateName::Rejected => AttemptState::Ended(Failure::Rejected),
        AttemptStateName::ProviderDown => AttemptState::Ended(Failure::ProviderDown),
    })
}
