//! Prepared seals: what the seal agent is asked to sign.

use trinhky_domain::ids::{DocumentId, SealId};
use trinhky_domain::seal::SealTask;

use crate::error::Result;
use crate::tx::{Columns, Tx, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        ADD = "insert into seal_tasks (seal_id, document_id, clerk_id, head_sha256, tail_sha256, dtbs,
                certificate_sha256, at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)";
        TASK = "select seal_id, document_id, clerk_id, head_sha256, tail_sha256, dtbs, certificate_sha256, at
            from seal_tasks where seal_id = $1";
        OF_DOCUMENT = "select seal_id, document_id, clerk_id, head_sha256, tail_sha256, dtbs, certificate_sha256, at
            from seal_tasks where document_id = $1 order by at desc, seal_id desc limit 1";
        SET_DOSSIER = "update seal_tasks set dossier = $2 where seal_id = $1";
        DOSSIER = "select seal_id, dossier from seal_tasks where seal_id = $1";
    }
}

impl Tx {
    /// A prepared seal.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound), [`Corrupt`](crate::Error::Corrupt).
    pub async fn seal_task(&mut self, id: SealId) -> Result<SealTask> {
        let row = self.one("seal", query(sql::TASK).bind(id.to_string())).await?;
        task(&Columns::of("seal_tasks", "seal_id", &row))
    }

    /// The seal prepared last for a document.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn seal_task_of(&mut self, document: DocumentId) -> Result<Option<SealTask>> {
        let row = self.optional("seal", query(sql::OF_DOCUMENT).bind(document.to_string())).await?;
        row.map(|row| task(&Columns::of("seal_tasks", "seal_id", &row))).transpose()
    }

    /// Keeps what the server must remember of a prepared seal (opaque here).
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when there is no such seal.
    pub async fn set_seal_dossier(&mut self, id: SealId, dossier: &str) -> Result<()> {
        self.change_one("seal", query(sql::SET_DOSSIER).bind(id.to_string()).bind(dossier.to_owned())).await
    }

    /// What the server remembers of a prepared seal.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn seal_dossier(&mut self, id: SealId) -> Result<Option<String>> {
        let row = self.one("seal", query(sql::DOSSIER).bind(id.to_string())).await?;
        Columns::of("seal_tasks", "seal_id", &row).text_or_null("dossier")
    }

    pub(crate) async fn write_seal_task(&mut self, task: &SealTask) -> Result<()> {
        let statement = query(sql::ADD)
            .bind(task.id.to_string())
            .bind(task.document.to_string())
            .bind(task.clerk.to_string())
            .bind(task.head.to_string())
            .bind(task.tail.to_string())
            .bind(task.dtbs.to_string())
            .bind(task.certificate.to_string())
            .bind(micros(task.at));
        self.change_one("seal", statement).await
    }
}

fn task(columns: &Columns<'_>) -> Result<SealTask> {
    Ok(SealTask {
        id: columns.word("seal_id")?,
        document: columns.word("document_id")?,
        clerk: columns.word("clerk_id")?,
        head: columns.word("head_sha256")?,
        tail: columns.word("tail_sha256")?,
        dtbs: columns.word("dtbs")?,
        certificate: columns.word("certificate_sha256")?,
        at: columns.time("at")?,
    })
}
