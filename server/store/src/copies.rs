//! Recipients' copies of released documents.

use trinhky_domain::Write;
use trinhky_domain::document::Version;
use trinhky_domain::ids::{CopyId, DocumentId};
use trinhky_domain::release::{Copy, Hindrance};

use crate::error::Result;
use crate::tx::{Columns, Tx, json, micros, query, sound};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        INSERT = "insert into copies (copy_id, version, document_id, recipient, channel, state, hindrance, note, since)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        UPDATE = "update copies set version = $2, recipient = $3, channel = $4, state = $5, hindrance = $6, note = $7,
            since = $8 where copy_id = $1 and version = $9";
        COPY = "select copy_id, version, document_id, recipient, state, hindrance, note, since from copies
            where copy_id = $1";
        OF_DOCUMENT = "select copy_id, version, document_id, recipient, state, hindrance, note, since from copies
            where document_id = $1 order by copy_id";
        WAITING_FOR_MAIL = "select copy_id, version, document_id, recipient, state, hindrance, note, since from copies
            where hindrance = 'mail_not_set_up' order by copy_id";
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

    /// The copies that could not leave because the settings named no mail server; a corrupt one is logged and set aside.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn copies_waiting_for_mail(&mut self) -> Result<Vec<Copy>> {
        let mut found = Vec::new();
        for row in &self.all("copy", query(sql::WAITING_FOR_MAIL)).await? {
            found.extend(sound(copy(&Columns::of("copies", "copy_id", row)))?);
        }
        Ok(found)
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
                .bind(hindrance(to))
                .bind(to.note.clone())
                .bind(micros(to.since)),
            Write::Moved { to, expected } => query(sql::UPDATE)
                .bind(to.id.to_string())
                .bind(i64::from(to.version.0))
                .bind(json(&to.recipient)?)
                .bind(to.recipient.channel.as_str())
                .bind(to.state.as_str())
                .bind(hindrance(to))
                .bind(to.note.clone())
                .bind(micros(to.since))
                .bind(i64::from(expected.0)),
        };
        self.change_one("copy", statement).await
    }
}

fn hindrance(copy: &Copy) -> Option<&'static str> {
    copy.hindrance.map(Hindrance::as_str)
}

fn copy(columns: &Columns<'_>) -> Result<Copy> {
    Ok(Copy {
        id: columns.word("copy_id")?,
        document: columns.word("document_id")?,
        recipient: columns.json("recipient")?,
        state: columns.word("state")?,
        hindrance: columns.word_or_null("hindrance")?,
        note: columns.text_or_null("note")?,
        since: columns.time("since")?,
        version: Version(columns.number("version")?),
    })
}
