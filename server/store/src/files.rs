//! What is known of the files on disk: how each is put together, and who may read it.
//!
//! A file is whole under its own name, or a base with one tail appended (a signed revision); the base may itself be
//! appended, so a served file is a list of segments. Completing a document of 50 MB thus writes only its tail.

use time::OffsetDateTime;
use trinhky_domain::Digest;
use trinhky_domain::ids::PersonId;

use crate::error::{Error, Result};
use crate::tx::{Columns, Tx, digest_text, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        ADD = "insert into files (sha256, length, base_sha256, tail_sha256, tail_length, pages, remarks, midstate,
                index_sha256, manifest_sha256, by_person, at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (sha256) do nothing";
        BROUGHT = "insert into uploads (sha256, person_id, at) values ($1, $2, $3) on conflict do nothing";
        HAS_BROUGHT = "select 1 as found from uploads where sha256 = $1 and person_id = $2";
        FILE = "select sha256, length, base_sha256, tail_sha256, tail_length, pages, remarks, midstate, index_sha256,
            manifest_sha256, by_person, at from files where sha256 = $1";
        MAY_READ = "select 1 as found from document_files join document_people
                on document_people.document_id = document_files.document_id
            where document_people.person_id = $1 and document_files.sha256 = $2 limit 1";
        REFERENCED = "select 1 as found from files where (sha256 = $1 and base_sha256 is null) or tail_sha256 = $1
                or index_sha256 = $1 or manifest_sha256 = $1
            union all select 1 as found from documents where manifest_sha256 = $1
            union all select 1 as found from seal_tasks where tail_sha256 = $1
            union all select 1 as found from sims where image_sha256 = $1
            union all select 1 as found from org_seals where image_sha256 = $1
            limit 1";
    }
}

/// How a file's bytes lie on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Under its own name.
    Whole,
    /// Another file with one tail appended.
    Appended {
        /// The file before.
        base: Digest,
        /// The appended bytes, a blob of their own.
        tail: Digest,
        /// Their length.
        tail_length: u64,
    },
}

/// A file as rows know it. The bytes must be on disk, synced, before this is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name: SHA-256 of all its bytes.
    pub sha256: Digest,
    /// Length in bytes.
    pub length: u64,
    /// How it lies on disk.
    pub layout: Layout,
    /// Pages, for a PDF.
    pub pages: Option<u32>,
    /// What intake found, as JSON; `{}` when nothing.
    pub remarks: String,
    /// The SHA-256 midstate after its last byte, as the PDF engine wrote it.
    pub midstate: Option<Vec<u8>>,
    /// The blob with the engine's index of it.
    pub index: Option<Digest>,
    /// The blob with its manifest of declared fields.
    pub manifest: Option<Digest>,
    /// Who brought it first.
    pub by: Option<PersonId>,
    /// When.
    pub at: OffsetDateTime,
}

/// A run of bytes that is a blob on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The blob's name.
    pub sha256: Digest,
    /// Its length in bytes.
    pub length: u64,
}

impl Tx {
    /// Stores what is known of a file; the same bytes twice are one file, of everybody who brought them.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), also when the base is unknown.
    pub async fn add_file(&mut self, file: &StoredFile) -> Result<()> {
        let (base, tail, tail_length) = match file.layout {
            Layout::Whole => (None, None, None),
            Layout::Appended { base, tail, tail_length } => (Some(base), Some(tail), Some(tail_length)),
        };
        let statement = query(sql::ADD)
            .bind(file.sha256.to_string())
            .bind(length(file.length)?)
            .bind(digest_text(base))
            .bind(digest_text(tail))
            .bind(tail_length.map(length).transpose()?)
            .bind(file.pages.map(i64::from))
            .bind(file.remarks.clone())
            .bind(file.midstate.clone())
            .bind(digest_text(file.index))
            .bind(digest_text(file.manifest))
            .bind(file.by.map(|person| person.to_string()))
            .bind(micros(file.at));
        self.change("file", statement).await?;
        let Some(person) = file.by else { return Ok(()) };
        let brought =
            query(sql::BROUGHT).bind(file.sha256.to_string()).bind(person.to_string()).bind(micros(file.at));
        self.change("upload", brought).await.map(drop)
    }

    /// Whether the person brought these bytes, first or after others.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn has_brought(&mut self, person: PersonId, sha256: Digest) -> Result<bool> {
        let statement = query(sql::HAS_BROUGHT).bind(sha256.to_string()).bind(person.to_string());
        Ok(self.optional("upload", statement).await?.is_some())
    }

    /// What is known of a file.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn file(&mut self, sha256: Digest) -> Result<StoredFile> {
        let row = self.one("file", query(sql::FILE).bind(sha256.to_string())).await?;
        let columns = Columns::of("files", "sha256", &row);
        let base = columns.word_or_null("base_sha256")?;
        let tail = columns.word_or_null("tail_sha256")?;
        let tail_length = columns.number_or_null("tail_length")?;
        let layout = match (base, tail, tail_length) {
            (None, None, None) => Layout::Whole,
            (Some(base), Some(tail), Some(tail_length)) => Layout::Appended { base, tail, tail_length },
            _ => return Err(columns.corrupt("neither whole nor appended")),
        };
        Ok(StoredFile {
            sha256: columns.word("sha256")?,
            length: columns.number("length")?,
            layout,
            pages: columns.number_or_null("pages")?,
            remarks: columns.text("remarks")?,
            midstate: columns.bytes_or_null("midstate")?,
            index: columns.word_or_null("index_sha256")?,
            manifest: columns.word_or_null("manifest_sha256")?,
            by: columns.word_or_null("by_person")?,
            at: columns.time("at")?,
        })
    }

    /// The blobs a file is made of, in order.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound), [`Corrupt`](crate::Error::Corrupt) for a chain of too many
    /// revisions or with lengths that do not add up.
    pub async fn segments(&mut self, sha256: Digest) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        let mut at = sha256;
        loop {
            let file = self.file(at).await?;
            match file.layout {
                Layout::Whole => {
                    segments.push(Segment { sha256: at, length: file.length });
                    break;
                }
                Layout::Appended { base, tail, tail_length } => {
                    segments.push(Segment { sha256: tail, length: tail_length });
                    at = base;
                }
            }
            if segments.len() >= MAX_SEGMENTS {
                return Err(Error::corrupt("files", sha256, "too many revisions"));
            }
        }
        segments.reverse();
        let total = self.file(sha256).await?.length;
        if segments.iter().map(|segment| segment.length).sum::<u64>() != total {
            return Err(Error::corrupt("files", sha256, "the segments do not add up to its length"));
        }
        Ok(segments)
    }

    /// Whether the file belongs to a document the person has a part in.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn may_read(&mut self, person: PersonId, sha256: Digest) -> Result<bool> {
        let statement = query(sql::MAY_READ).bind(person.to_string()).bind(sha256.to_string());
        Ok(self.optional("file", statement).await?.is_some())
    }

    /// Whether any row names this blob; the sweep spares it then.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn referenced(&mut self, sha256: Digest) -> Result<bool> {
        Ok(self.optional("file", query(sql::REFERENCED).bind(sha256.to_string())).await?.is_some())
    }
}

/// More signatures than any document carries.
const MAX_SEGMENTS: usize = 256;

pub(crate) fn length(bytes: u64) -> Result<i64> {
    i64::try_from(bytes).map_err(|_| Error::corrupt("files", bytes, "longer than a database can say"))
}
