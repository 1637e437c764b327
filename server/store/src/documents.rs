//! Documents: row ↔ domain in one exhaustive match, and the lists people work from.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use trinhky_domain::document::{Document, Head, Opinion, Recall, State, StateName, Version};
use trinhky_domain::ids::{DocumentId, OfficeId, PersonId};
use trinhky_domain::paper::{FileRole, Urgency};
use trinhky_domain::policy::Numbering;
use trinhky_domain::{Digest, Write};

use crate::error::{Error, Result};
use crate::files::length;
use crate::tx::{Columns, Cursor, Page, Statement, Tx, json, micros, query, sound};

macro_rules! columns {
    () => {
        "document_id, version, state, step, signer, attempt_id, seal_id, reason, reason_by, released_at, recall,
            replaced_by, corrected_by, revision, office_id, drafter_id, assignee_id, urgency, numbering, series,
            particulars, symbol, chain, bundle, manifest_sha256, head_sha256, head_length, signed, number,
            number_drawn, wish, created, waiting_since"
    };
}

/// A person's documents by what stands beside the person: `rank` is the urgency, `place` the state, `listed` the id.
macro_rules! of_person {
    () => {
        " from (select document_id as listed, urgency as rank, state as place from document_people where person_id = $1)
            as people join documents on documents.document_id = listed"
    };
}

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        DOCUMENT = concat!("select ", columns!(), " from documents where document_id = $1");
        BY_HEAD = concat!("select ", columns!(), " from documents where head_sha256 = $1 order by document_id limit 1");
        INSERT = concat!("insert into documents (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
            $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31,
            $32, $33)");
        UPDATE = "update documents set version = $2, state = $3, step = $4, signer = $5, attempt_id = $6, seal_id = $7,
                reason = $8, reason_by = $9, released_at = $10, recall = $11, replaced_by = $12, corrected_by = $13,
                revision = $14, office_id = $15, drafter_id = $16, assignee_id = $17, urgency = $18, numbering = $19,
                series = $20, particulars = $21, symbol = $22, chain = $23, bundle = $24, manifest_sha256 = $25,
                head_sha256 = $26, head_length = $27, signed = $28, number = $29, number_drawn = $30, wish = $31,
                created = $32, waiting_since = $33
            where document_id = $1 and version = $34";
        INBOX = concat!("select ", columns!(), " from documents where assignee_id = $1
            order by urgency desc, waiting_since, document_id limit $2");
        INBOX_AFTER = concat!("select ", columns!(), " from documents where assignee_id = $1
            and (urgency < $3 or (urgency = $3 and (waiting_since > $4 or (waiting_since = $4 and document_id > $5))))
            order by urgency desc, waiting_since, document_id limit $2");
        COUNT_INBOX = "select count(*) as waiting, count(case when urgency > 0 then 1 end) as urgent from documents
            where assignee_id = $1";
        /// An id begins with the moment it was made at, so the smaller one is older; neither ever changes.
        OF_PERSON = concat!("select ", columns!(), of_person!(), " order by rank desc, listed limit $2");
        OF_PERSON_AFTER = concat!("select ", columns!(), of_person!(), " where rank < $3 or (rank = $3 and listed > $4)
            order by rank desc, listed limit $2");
        OF_PERSON_IN = concat!("select ", columns!(), of_person!(), " where place = $3
            order by rank desc, listed limit $2");
        OF_PERSON_IN_AFTER = concat!("select ", columns!(), of_person!(), " where place = $3
            and (rank < $4 or (rank = $4 and listed > $5)) order by rank desc, listed limit $2");
        /// A list is walked by what stands beside the person, whatever has been closed.
        SET_PLACE = "update document_people set urgency = $2, state = $3
            where document_id = $1 and (urgency <> $2 or state <> $3)";
        NUMBERED_BEFORE = "select documents.document_id from documents
            join numbers on numbers.document_id = documents.document_id and numbers.void_at is null
            where documents.state = 'awaiting_signature' and documents.signer = 0
                and documents.numbering = 'before_sign' and numbers.day < $1
            order by documents.document_id limit $2";
        IN_STATE = concat!("select ", columns!(), " from documents where office_id = $1 and state = $2
            order by waiting_since, document_id limit $3");
        COUNT_IN_STATE = "select count(*) as waiting from documents where office_id = $1 and state = $2";
        ADD_PERSON = "insert into document_people (person_id, document_id, urgency, state) values ($1, $2, $3, $4)
            on conflict do nothing";
        IS_PERSON = "select 1 as found from document_people where person_id = $1 and document_id = $2";
        ADD_FILE = "insert into document_files (document_id, sha256, role) values ($1, $2, $3) on conflict do nothing";
        ADD_OPINION = "insert into opinions (document_id, revision, step, at, kind, by_person, verdict, words,
            about_sha256) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        OPINIONS_OF = "select document_id, revision, step, at, kind, by_person, verdict, words, about_sha256
            from opinions where document_id = $1 order by at, step";
    }
}

/// What a list tells at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxCount {
    /// All that wait.
    pub waiting: u64,
    /// The urgent ones among them.
    pub urgent: u64,
}

impl Tx {
    /// A document.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Corrupt`](Error::Corrupt).
    pub async fn document(&mut self, id: DocumentId) -> Result<Document> {
        let row = self.one("document", query(sql::DOCUMENT).bind(id.to_string())).await?;
        document(&Columns::of("documents", "document_id", &row))
    }

    /// The document whose bytes now are these.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Corrupt`](Error::Corrupt).
    pub async fn document_by_head(&mut self, head: Digest) -> Result<Document> {
        let row = self.one("document", query(sql::BY_HEAD).bind(head.to_string())).await?;
        document(&Columns::of("documents", "document_id", &row))
    }

    /// What waits for a person: urgent first, then what has waited longest (R74). Its cost does not depend on how many
    /// documents are closed.
    ///
    /// # Errors
    /// [`Database`](Error::Database), [`Corrupt`](Error::Corrupt).
    pub async fn inbox(
        &mut self,
        person: PersonId,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Document>> {
        let one_more = i64::from(limit) + 1;
        let statement = match after {
            None => query(sql::INBOX).bind(person.to_string()).bind(one_more),
            Some(cursor) => query(sql::INBOX_AFTER)
                .bind(person.to_string())
                .bind(one_more)
                .bind(cursor.urgency)
                .bind(cursor.at)
                .bind(cursor.id.clone()),
        };
        let rows = self.all("document", statement).await?;
        let mut items = documents(&rows)?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|last| Cursor {
            urgency: last.particulars.urgency.rank(),
            at: micros(last.waiting_since),
            id: last.id.to_string(),
        });
        Ok(Page { items, next })
    }

    /// How much waits for a person.
    ///
    /// # Errors
    /// [`Database`](Error::Database).
    pub async fn count_inbox(&mut self, person: PersonId) -> Result<InboxCount> {
        let row = self.one("document", query(sql::COUNT_INBOX).bind(person.to_string())).await?;
        let columns = Columns::of("documents", "waiting", &row);
        Ok(InboxCount { waiting: columns.number("waiting")?, urgent: columns.number("urgent")? })
    }

    /// Documents a person has a part in, urgent ones first, then the oldest (R74); only those in one of `states`, or all
    /// when there are none. A page begins after the last row of the one before, whatever came or went meanwhile. Its cost
    /// does not depend on how many documents are in other states.
    ///
    /// # Errors
    /// [`Database`](Error::Database), [`Corrupt`](Error::Corrupt).
    pub async fn documents_of(
        &mut self,
        person: PersonId,
        states: &[StateName],
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Document>> {
        let mut items = Vec::new();
        if states.is_empty() {
            items = self.page_of(person, None, after, limit).await?;
        }
        for state in states {
            items.extend(self.page_of(person, Some(*state), after, limit).await?);
        }
        // Each list comes in this order already.
        items.sort_by_key(|document| (Reverse(document.particulars.urgency.rank()), document.id));
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|last| Cursor {
            urgency: last.particulars.urgency.rank(),
            at: 0,
            id: last.id.to_string(),
        });
        Ok(Page { items, next })
    }

    /// One more than `limit`, so that it is known whether there are more.
    async fn page_of(
        &mut self,
        person: PersonId,
        state: Option<StateName>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<Document>> {
        let statement = match (state, after) {
            (None, None) => sql::OF_PERSON,
            (None, Some(_)) => sql::OF_PERSON_AFTER,
            (Some(_), None) => sql::OF_PERSON_IN,
            (Some(_), Some(_)) => sql::OF_PERSON_IN_AFTER,
        };
        let mut statement = query(statement).bind(person.to_string()).bind(i64::from(limit) + 1);
        if let Some(state) = state {
            statement = statement.bind(state.as_str());
        }
        if let Some(cursor) = after {
            statement = statement.bind(cursor.urgency).bind(cursor.id.clone());
        }
        documents(&self.all("document", statement).await?)
    }

    /// Documents that wait for their first signature with a number in their base that was taken before `day`; at most
    /// `limit`, the oldest first. One whose id is corrupt is logged and set aside.
    ///
    /// # Errors
    /// [`Database`](Error::Database).
    pub async fn documents_numbered_before(&mut self, day: Date, limit: u32) -> Result<Vec<DocumentId>> {
        let statement = query(sql::NUMBERED_BEFORE).bind(day.to_string()).bind(i64::from(limit));
        let mut found = Vec::new();
        for row in &self.all("document", statement).await? {
            let id = Columns::of("documents", "document_id", row).word::<DocumentId>("document_id");
            found.extend(sound(id)?);
        }
        Ok(found)
    }

    /// An office's documents in one state, the longest-waiting first.
    ///
    /// # Errors
    /// [`Database`](Error::Database), [`Corrupt`](Error::Corrupt).
    pub async fn documents_in(
        &mut self,
        office: OfficeId,
        state: StateName,
        limit: u32,
    ) -> Result<Vec<Document>> {
        let statement =
            query(sql::IN_STATE).bind(office.to_string()).bind(state.as_str()).bind(i64::from(limit));
        documents(&self.all("document", statement).await?)
    }

    /// How many of an office's documents are in one state.
    ///
    /// # Errors
    /// [`Database`](Error::Database).
    pub async fn count_documents_in(&mut self, office: OfficeId, state: StateName) -> Result<u64> {
        let statement = query(sql::COUNT_IN_STATE).bind(office.to_string()).bind(state.as_str());
        let row = self.one("document", statement).await?;
        Columns::of("documents", "waiting", &row).number("waiting")
    }

    /// Whether the person has or had a part in the document.
    ///
    /// # Errors
    /// [`Database`](Error::Database).
    pub async fn has_part(&mut self, person: PersonId, document: DocumentId) -> Result<bool> {
        let statement = query(sql::IS_PERSON).bind(person.to_string()).bind(document.to_string());
        Ok(self.optional("document", statement).await?.is_some())
    }

    /// Every opinion given on a document, in order, those on earlier bytes too.
    ///
    /// # Errors
    /// [`Database`](Error::Database), [`Corrupt`](Error::Corrupt).
    pub async fn opinions_of(&mut self, document: DocumentId) -> Result<Vec<Opinion>> {
        let rows = self.all("opinion", query(sql::OPINIONS_OF).bind(document.to_string())).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of("opinions", "document_id", row);
                Ok(Opinion {
                    document: columns.word("document_id")?,
                    revision: columns.number("revision")?,
                    step: columns.number("step")?,
                    kind: columns.word("kind")?,
                    by: columns.word("by_person")?,
                    verdict: columns.word("verdict")?,
                    text: columns.text("words")?,
                    about: columns.word("about_sha256")?,
                    at: columns.time("at")?,
                })
            })
            .collect()
    }

    pub(crate) async fn write_document(&mut self, write: &Write<Document>) -> Result<()> {
        match write {
            Write::New(to) => {
                self.change_one("document", bind(query(sql::INSERT), to)?).await?;
                self.tie(to).await
            }
            Write::Moved { to, expected } => {
                let statement = bind(query(sql::UPDATE), to)?.bind(i64::from(expected.0));
                self.change_one("document", statement).await?;
                let place = query(sql::SET_PLACE)
                    .bind(to.id.to_string())
                    .bind(to.particulars.urgency.rank())
                    .bind(to.state.name().as_str());
                self.change("document", place).await?;
                // Only these steps bring other files or other people.
                let redrawn =
                    to.numbering == Numbering::BeforeSign && to.state.name() == StateName::AwaitingSignature;
                if to.state == State::Draft || redrawn { self.tie(to).await } else { self.tie_head(to).await }
            }
        }
    }

    pub(crate) async fn write_opinion(&mut self, opinion: &Opinion) -> Result<()> {
        let statement = query(sql::ADD_OPINION)
            .bind(opinion.document.to_string())
            .bind(i64::from(opinion.revision))
            .bind(i64::from(opinion.step))
            .bind(micros(opinion.at))
            .bind(opinion.kind.as_str())
            .bind(opinion.by.to_string())
            .bind(opinion.verdict.as_str())
            .bind(opinion.text.clone())
            .bind(opinion.about.to_string());
        self.change_one("opinion", statement).await
    }

    /// Ties a document to its people and files: the right to see them.
    async fn tie(&mut self, document: &Document) -> Result<()> {
        let chain = &document.chain;
        let mut people = vec![document.drafter, chain.clerk];
        people.extend(chain.steps.iter().map(|step| step.person));
        people.extend(chain.signers.iter().map(|signer| signer.person));
        people.sort_unstable();
        people.dedup();
        for person in people {
            let statement = query(sql::ADD_PERSON)
                .bind(person.to_string())
                .bind(document.id.to_string())
                .bind(document.particulars.urgency.rank())
                .bind(document.state.name().as_str());
            self.change("document", statement).await?;
        }
        for file in &document.bundle.0 {
            self.tie_file(document.id, file.sha256, file.role.as_str()).await?;
        }
        self.tie_head(document).await
    }

    async fn tie_head(&mut self, document: &Document) -> Result<()> {
        let main = document.bundle.0.iter().find(|file| file.role == FileRole::Main);
        if main.is_some_and(|main| main.sha256 == document.head.sha256) {
            return Ok(());
        }
        self.tie_file(document.id, document.head.sha256, "revision").await
    }

    async fn tie_file(&mut self, document: DocumentId, file: Digest, role: &'static str) -> Result<()> {
        let statement = query(sql::ADD_FILE).bind(document.to_string()).bind(file.to_string()).bind(role);
        self.change("document", statement).await.map(drop)
    }
}

/// The columns that say where a document is.
#[derive(Default)]
struct StateColumns {
    step: Option<u16>,
    signer: Option<u16>,
    attempt: Option<String>,
    seal: Option<String>,
    reason: Option<String>,
    reason_by: Option<String>,
    released: Option<i64>,
    recall: Option<String>,
    replaced_by: Option<String>,
    corrected_by: Option<String>,
}

fn state_columns(state: &State) -> Result<StateColumns> {
    let none = StateColumns::default();
    Ok(match state {
        State::Draft | State::AwaitingNumber | State::Sealed | State::Withdrawn => none,
        State::InReview { step } => StateColumns { step: Some(*step), ..none },
        State::AwaitingSignature { signer } => StateColumns { signer: Some(*signer), ..none },
        State::Signing { signer, attempt } => {
            StateColumns { signer: Some(*signer), attempt: Some(attempt.to_string()), ..none }
        }
        State::Sealing { seal } => StateColumns { seal: Some(seal.to_string()), ..none },
        State::Released { at, recall, replaced_by, corrected_by } => StateColumns {
            released: Some(micros(*at)),
            recall: recall.as_ref().map(json).transpose()?,
            replaced_by: replaced_by.map(|id| id.to_string()),
            corrected_by: corrected_by.map(|id| id.to_string()),
            ..none
        },
        State::Returned { reason, by } | State::Rejected { reason, by } => {
            StateColumns { reason: Some(reason.clone()), reason_by: Some(by.to_string()), ..none }
        }
    })
}

/// Binds all 33 columns in the order of `columns!`.
fn bind(statement: Statement, document: &Document) -> Result<Statement> {
    let state = state_columns(&document.state)?;
    Ok(statement
        .bind(document.id.to_string())
        .bind(i64::from(document.version.0))
        .bind(document.state.name().as_str())
        .bind(state.step.map(i64::from))
        .bind(state.signer.map(i64::from))
        .bind(state.attempt)
        .bind(state.seal)
        .bind(state.reason)
        .bind(state.reason_by)
        .bind(state.released)
        .bind(state.recall)
        .bind(state.replaced_by)
        .bind(state.corrected_by)
        .bind(i64::from(document.revision))
        .bind(document.office.to_string())
        .bind(document.drafter.to_string())
        .bind(document.waits_for().map(|person| person.to_string()))
        .bind(document.particulars.urgency.rank())
        .bind(document.numbering.as_str())
        .bind(document.series.to_string())
        .bind(json(&document.particulars)?)
        .bind(json(&document.symbol)?)
        .bind(json(&document.chain)?)
        .bind(json(&document.bundle)?)
        .bind(document.manifest.to_string())
        .bind(document.head.sha256.to_string())
        .bind(length(document.head.length)?)
        .bind(json(&document.signed)?)
        .bind(document.number.as_ref().map(json).transpose()?)
        .bind(i64::from(document.number_drawn))
        .bind(document.wish.as_ref().map(json).transpose()?)
        .bind(micros(document.created))
        .bind(micros(document.waiting_since)))
}

fn documents(rows: &[sqlx::any::AnyRow]) -> Result<Vec<Document>> {
    rows.iter().map(|row| document(&Columns::of("documents", "document_id", row))).collect()
}

fn document(columns: &Columns<'_>) -> Result<Document> {
    let document = Document {
        id: columns.word("document_id")?,
        version: Version(columns.number("version")?),
        state: state(columns)?,
        revision: columns.number("revision")?,
        office: columns.word("office_id")?,
        drafter: columns.word("drafter_id")?,
        particulars: columns.json("particulars")?,
        symbol: columns.json("symbol")?,
        series: columns.word("series")?,
        numbering: columns.word("numbering")?,
        chain: columns.json("chain")?,
        bundle: columns.json("bundle")?,
        manifest: columns.word("manifest_sha256")?,
        head: Head { sha256: columns.word("head_sha256")?, length: columns.number("head_length")? },
        signed: columns.json("signed")?,
        number: columns.json_or_null("number")?,
        number_drawn: columns.flag("number_drawn")?,
        wish: columns.json_or_null("wish")?,
        created: columns.time("created")?,
        waiting_since: columns.time("waiting_since")?,
    };
    if document.particulars.urgency.rank() != columns.integer("urgency")? {
        return Err(columns.corrupt("urgency says two things"));
    }
    if document.waits_for() != columns.word_or_null::<PersonId>("assignee_id")? {
        return Err(columns.corrupt("assignee_id is not whose turn it is"));
    }
    Ok(document)
}

fn state(columns: &Columns<'_>) -> Result<State> {
    let name: StateName = columns.word("state")?;
    let step: Option<u16> = columns.number_or_null("step")?;
    let signer: Option<u16> = columns.number_or_null("signer")?;
    let attempt = columns.word_or_null("attempt_id")?;
    let seal = columns.word_or_null("seal_id")?;
    let reason = columns.text_or_null("reason")?;
    let by = columns.word_or_null("reason_by")?;
    let released: Option<OffsetDateTime> = columns.time_or_null("released_at")?;
    Ok(match (name, step, signer, attempt, seal, reason, by, released) {
        (StateName::Draft, None, None, None, None, None, None, None) => State::Draft,
        (StateName::InReview, Some(step), None, None, None, None, None, None) => State::InReview { step },
        (StateName::AwaitingSignature, None, Some(signer), None, None, None, None, None) => {
            State::AwaitingSignature { signer }
        }
        (StateName::Signing, None, Some(signer), Some(attempt), None, None, None, None) => {
            State::Signing { signer, attempt }
        }
        (StateName::AwaitingNumber, None, None, None, None, None, None, None) => State::AwaitingNumber,
        (StateName::Sealing, None, None, None, Some(seal), None, None, None) => State::Sealing { seal },
        (StateName::Sealed, None, None, None, None, None, None, None) => State::Sealed,
        (StateName::Released, None, None, None, None, None, None, Some(at)) => State::Released {
            at,
            recall: columns.json_or_null::<Recall>("recall")?,
            replaced_by: columns.word_or_null("replaced_by")?,
            corrected_by: columns.word_or_null("corrected_by")?,
        },
        (StateName::Returned, None, None, None, None, Some(reason), Some(by), None) => {
            State::Returned { reason, by }
        }
        (StateName::Withdrawn, None, None, None, None, None, None, None) => State::Withdrawn,
        (StateName::Rejected, None, None, None, None, Some(reason), Some(by), None) => {
            State::Rejected { reason, by }
        }
        _ => return Err(columns.corrupt(format!("state {name} with columns that belong to another"))),
    })
}

/// The urgency of a rank in a row.
pub(crate) fn urgency(columns: &Columns<'_>) -> Result<Urgency> {
    let rank = columns.integer("urgency")?;
    let found = Urgency::ALL.iter().find(|urgency| urgency.rank() == rank);
    found.copied().ok_or_else(|| Error::corrupt("urgency", "?", rank))
}
