//! Leaders' decisions, kept as they came. One approval, one attempt, once: a replay finds its place taken.

use trinhky_domain::Digest;
use trinhky_domain::ids::{AttemptId, DecisionId, DeviceId, DocumentId};
use trinhky_domain::signing::Decision;

use crate::error::Result;
use crate::tx::{Columns, Tx, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        ADD = "insert into decisions (decision_id, attempt_id, kind, person_id, device_id, client, jws, jws_sha256,
                expires, at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        DECISION = "select decision_id, attempt_id, kind, person_id, device_id, client, jws, expires, at from decisions
            where decision_id = $1";
        OF_ATTEMPT = "select decision_id, attempt_id, kind, person_id, device_id, client, jws, expires, at from decisions
            where attempt_id = $1 and kind = 'approve'";
        OF_DOCUMENT = "select decisions.decision_id, decisions.attempt_id, decisions.kind, decisions.person_id, decisions.device_id,
                decisions.client, decisions.jws, decisions.expires, decisions.at
            from decisions join attempts on attempts.attempt_id = decisions.attempt_id
            where attempts.document_id = $1 order by decisions.at, decisions.decision_id";
        LAST_OF_DEVICE = "select decision_id, attempt_id, kind, person_id, device_id, client, jws, expires, at from decisions
            where device_id = $1 order by at desc, decision_id desc limit 1";
    }
}

impl Tx {
    /// A decision, if it was ever taken.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn decision(&mut self, id: DecisionId) -> Result<Option<Decision>> {
        let row = self.optional("decision", query(sql::DECISION).bind(id.to_string())).await?;
        row.map(|row| decision(&Columns::of("decisions", "decision_id", &row))).transpose()
    }

    /// The decision an attempt was approved by.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn decision_of(&mut self, attempt: AttemptId) -> Result<Option<Decision>> {
        let row = self.optional("decision", query(sql::OF_ATTEMPT).bind(attempt.to_string())).await?;
        row.map(|row| decision(&Columns::of("decisions", "decision_id", &row))).transpose()
    }

    /// Every decision on a document, in order.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn decisions_of(&mut self, document: DocumentId) -> Result<Vec<Decision>> {
        let rows = self.all("decision", query(sql::OF_DOCUMENT).bind(document.to_string())).await?;
        rows.iter().map(|row| decision(&Columns::of("decisions", "decision_id", row))).collect()
    }

    /// A device's newest decision: the one its next names as `previous`.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn last_decision_of(&mut self, device: DeviceId) -> Result<Option<Decision>> {
        let row = self.optional("decision", query(sql::LAST_OF_DEVICE).bind(device.to_string())).await?;
        row.map(|row| decision(&Columns::of("decisions", "decision_id", &row))).transpose()
    }

    pub(crate) async fn write_decision(&mut self, decision: &Decision) -> Result<()> {
        let statement = query(sql::ADD)
            .bind(decision.id.to_string())
            .bind(decision.attempt.to_string())
            .bind(decision.kind.as_str())
            .bind(decision.person.to_string())
            .bind(decision.device.to_string())
            .bind(decision.client.as_str())
            .bind(decision.jws.clone())
            .bind(Digest::of(decision.jws.as_bytes()).to_string())
            .bind(micros(decision.expires))
            .bind(micros(decision.at));
        self.change_one("decision", statement).await
    }
}

fn decision(columns: &Columns<'_>) -> Result<Decision> {
    Ok(Decision {
        id: columns.word("decision_id")?,
        attempt: columns.word("attempt_id")?,
        kind: columns.word("kind")?,
        person: columns.word("person_id")?,
        device: columns.word("device_id")?,
        client: columns.word("client")?,
        jws: columns.text("jws")?,
        expires: columns.time("expires")?,
        at: columns.time("at")?,
    })
}
