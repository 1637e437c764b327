//! Recipients' copies of released documents.

use trinhky_domain::Write;
use trinhky_domain::document::Version;
use trinhky_domain::ids::{CopyId, DocumentId};
use trinhky_domain::release::Copy;

use crate::error::Result;
use crate::tx::{Columns, Tx, json, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        INSERT = "insert into copies (copy_id, version, document_id, recipient, channel, state, note, since)
            values ($1, $2, $3, $4, $5, $6, $7, $8)";
        UPDATE = "update copies set version = $2, state = $3, note = $4, since = $5 where copy_id = $1 and version = $6";
        COPY = "select copy_id, version, document_id, recipient, state, note, since from copies where copy_id = $1";
        OF_DOCUMENT = "select copy_id, version, document_id, recipient, state, note, since from copies
            where document_id = $1 order by copy_id";
    }
}

impl Tx {
    /// A copy.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound), [`Corrupt`](crate::Error::Corrupt).
    pub async fn copy(&mut self, id: CopyId) -> Result<Copy> {
        let row = self.one("copy", query(sql::COPY).bind(id.to_string())).await?;
        copy(&Columns::of("copies", "copy_id", &row))
    }

    /// The copies of a document.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn copies_of(&mut self, document: DocumentId) -> Result<Vec<Copy>> {
        let rows = self.all("copy", query(sql::OF_DOCUMENT).bind(document.to_string())).await?;
        rows.iter().map(|row| copy(&Columns::of("copies", "copy_id", row))).collect()
    }

    pub(crate) async fn write_copy(&mut self, write: &Write<Copy>) -> Result<()> {
        let statement = match write {
            Write::New(to) => query(sql::INSERT)
                .bind(to.id.to_string())
                .bind(i64::from(to.version.0))
                .bind(to.document.to_string())
                .bind(json(&to.recipient)?)
                .bind(to.recipient.channel.as_str())
                .bind(to.state.as_str())
                .bind(to.note.clone())
                .bind(micros(to.since)),
            Write::Moved { to, expected } => query(sql::UPDATE)
                .bind(to.id.to_string())
                .bind(i64::from(to.version.0))
                .bind(to.state.as_str())
                .bind(to.note.clone())
                .bind(micros(to.since))
                .bind(i64::from(expected.0)),
        };
        self.change_one("copy", statement).await
    }
}

fn copy(columns: &Columns<'_>) -> Result<Copy> {
    Ok(Copy {
        id: columns.word("copy_id")?,
        document: columns.word("document_id")?,
        recipient: columns.json("recipient")?,
        state: columns.word("state")?,
        note: columns.text_or_null("note")?,
        since: columns.time("since")?,
        version: Version(columns.number("version")?),
    })
}
