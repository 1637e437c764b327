//! The journal: entries written by the transaction of their change, then given their place in the Merkle tree by one
//! sequencer. No statement here changes or deletes an entry, a leaf or a node, and triggers refuse it.
//!
//! Placing entries a moment later keeps writers from waiting for each other; an entry without a leaf is still in the
//! pending list, which [`Tx::sequence_journal`] works off in order. RFC 6962 hashes, see `trinhky_domain::audit`.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use trinhky_domain::Digest;
use trinhky_domain::audit::{self, Consistency, Entry, Inclusion, Node};
use trinhky_domain::ids::DocumentId;

use crate::error::{Error, Result};
use crate::files::length;
use crate::tx::{Columns, Statement, Tx, json, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        WRITE = "insert into journal (entry_id, body, event, document_id, attempt_id, at)
            values ($1, $2, $3, $4, $5, $6) on conflict (entry_id) do nothing";
        PEND = "insert into journal_pending (entry_id) values ($1)";
        PENDING = "select journal.entry_id, journal.body from journal_pending
                join journal on journal.entry_id = journal_pending.entry_id
            order by journal_pending.entry_id limit $1";
        /// Two sequencers would give one leaf number twice; the loser's insert fails and nothing is lost.
        SIZE = "select count(*) as size, coalesce(max(leaf), -1) as last from journal_leaves";
        LAST = "select leaf from journal_leaves order by leaf desc limit 1";
        /// Each engine has its own name for the rows of a JSON list, and for their places in it.
        PLACE_SQLITE = "insert into journal_leaves (leaf, entry_id)
            select cast($1 as bigint) + key, value from json_each($2)";
        PLACE_POSTGRES = "insert into journal_leaves (leaf, entry_id)
            select cast($1 as bigint) + entry.nth - 1, entry.id
            from json_array_elements_text(cast(cast($2 as text) as json)) with ordinality as entry (id, nth)";
        PLACED_SQLITE = "delete from journal_pending where entry_id in (select value from json_each($1))";
        PLACED_POSTGRES = "delete from journal_pending
            where entry_id in (select json_array_elements_text(cast(cast($1 as text) as json)))";
        ADD_NODES_SQLITE = "insert into journal_nodes (node_level, node_position, hash)
            select json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
            from json_each($1)";
        ADD_NODES_POSTGRES = "insert into journal_nodes (node_level, node_position, hash)
            select cast(node ->> 0 as bigint), cast(node ->> 1 as bigint), node ->> 2
            from json_array_elements(cast(cast($1 as text) as json)) as node";
        UNPLACED = "select count(*) as pending from journal_pending";
        NODE = "select hash from journal_nodes where node_level = $1 and node_position = $2";
        ENTRY = "select journal.entry_id, journal.body, journal_leaves.leaf from journal
                join journal_leaves on journal_leaves.entry_id = journal.entry_id where journal_leaves.leaf = $1";
        OF_DOCUMENT = "select journal.entry_id, journal.body, journal_leaves.leaf from journal
                left join journal_leaves on journal_leaves.entry_id = journal.entry_id
            where journal.document_id = $1 order by journal.at, journal.entry_id";
        KEEP_CHECKPOINT = "insert into journal_checkpoints (size, words, at) values ($1, $2, $3)
            on conflict (size) do nothing";
        CHECKPOINT = "select size, words from journal_checkpoints order by size desc limit 1";
    }
}

/// The tree at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// Number of leaves.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its place in the tree, once it has one.
    pub index: Option<u64>,
    /// The bytes the leaf is the hash of.
    pub bytes: Vec<u8>,
    /// What they say.
    pub entry: Entry,
}

impl Tx {
    /// Gives up to `limit` pending entries their places; says how many. One process at a time does this; a second one
    /// gets a conflict and may simply try again. Few statements, however many entries: writers wait for it on SQLite.
    ///
    /// # Errors
    /// [`Conflict`](Error::Conflict) when another sequencer was faster, [`Corrupt`](Error::Corrupt) for a damaged tree.
    pub async fn sequence_journal(&mut self, limit: u32) -> Result<u64> {
        let rows = self.all("journal", query(sql::PENDING).bind(i64::from(limit))).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let first = self.leaves().await?;
        // What stands to the left of every node that can become complete now.
        let mut known = BTreeMap::new();
        for node in audit::roots(first) {
            known.insert(node, self.node(node).await?);
        }
        let (mut ids, mut nodes) = (Vec::with_capacity(rows.len()), Vec::new());
        for (row, leaf) in rows.iter().zip(first..) {
            let columns = Columns::of("journal", "entry_id", row);
            ids.push(columns.text("entry_id")?);
            let hash = audit::leaf_hash(&columns.bytes("body")?);
            let missing = || Error::corrupt("journal_nodes", leaf, "missing");
            let completed =
                audit::completed(leaf, hash, |node| known.get(&node).copied().ok_or_else(missing))?;
            for (node, hash) in completed {
                nodes.push((node.level, node.position, hash.to_string()));
                known.insert(node, hash);
            }
        }
        let placed = ids.len() as u64;
        let place = self.on(sql::PLACE_SQLITE, sql::PLACE_POSTGRES);
        self.change_all(placed, query(place).bind(length(first)?).bind(json(&ids)?)).await?;
        let taken = self.on(sql::PLACED_SQLITE, sql::PLACED_POSTGRES);
        self.change_all(placed, query(taken).bind(json(&ids)?)).await?;
        let add = self.on(sql::ADD_NODES_SQLITE, sql::ADD_NODES_POSTGRES);
        self.change_all(nodes.len() as u64, query(add).bind(json(&nodes)?)).await?;
        Ok(placed)
    }

    /// Another sequencer shows as a count that is short.
    async fn change_all(&mut self, expected: u64, statement: Statement) -> Result<()> {
        let changed = self.change("journal", statement).await?;
        if changed == expected { Ok(()) } else { Err(Error::Conflict("journal")) }
    }

    /// Whether every entry has its place in the tree.
    ///
    /// # Errors
    /// [`Database`](Error::Database).
    pub async fn journal_is_sequenced(&mut self) -> Result<bool> {
        let row = self.one("journal", query(sql::UNPLACED)).await?;
        Ok(Columns::of("journal_pending", "pending", &row).number::<u64>("pending")? == 0)
    }

    /// The tree as it stands.
    ///
    /// # Errors
    /// [`Database`](Error::Database), [`Corrupt`](Error::Corrupt) for a damaged tree.
    pub async fn tree(&mut self) -> Result<Tree> {
        let size = self.leaves().await?;
        let root = self.combine(&audit::roots(size)).await?;
        Ok(Tree { size, root })
    }

    /// Proof that leaf `index` is in the tree of `size` leaves.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) when it is not, [`Corrupt`](Error::Corrupt) for a damaged tree.
    pub async fn prove(&mut self, index: u64, size: u64) -> Result<Inclusion> {
        let parts = audit::proof_parts(index, size).ok_or(Error::NotFound("leaf"))?;
        let mut path = Vec::with_capacity(parts.len());
        for part in &parts {
            path.push(self.combine(part).await?);
        }
        Ok(Inclusion { index, size, path })
    }

    /// Proof that the tree of `second` leaves begins with that of `first`.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) when the first is longer, or the second longer than the tree;
    /// [`Corrupt`](Error::Corrupt) for a damaged tree.
    pub async fn prove_consistency(&mut self, first: u64, second: u64) -> Result<Consistency> {
        let parts = audit::consistency_parts(first, second).ok_or(Error::NotFound("checkpoint"))?;
        if second > self.leaves().await? {
            return Err(Error::NotFound("checkpoint"));
        }
        let mut path = Vec::with_capacity(parts.len());
        for part in &parts {
            path.push(self.combine(part).await?);
        }
        Ok(Consistency { first, second, path })
    }

    /// The journal line at a place in the tree.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Corrupt`](Error::Corrupt).
    pub async fn journal_line(&mut self, index: u64) -> Result<JournalLine> {
        let row = self.one("leaf", query(sql::ENTRY).bind(length(index)?)).await?;
        line(&Columns::of("journal", "entry_id", &row))
    }

    /// What the journal says of a document, in order.
    ///
    /// # Errors
    /// [`Database`](Error::Database), [`Corrupt`](Error::Corrupt).
    pub async fn journal_of(&mut self, document: DocumentId) -> Result<Vec<JournalLine>> {
        let rows = self.all("journal", query(sql::OF_DOCUMENT).bind(document.to_string())).await?;
        rows.iter().map(|row| line(&Columns::of("journal", "entry_id", row))).collect()
    }

    /// Checks that the leaves are numbered without a gap; says how many there are.
    ///
    /// # Errors
    /// [`Corrupt`](Error::Corrupt) when one is missing.
    pub async fn check_journal(&mut self) -> Result<u64> {
        let row = self.one("journal", query(sql::SIZE)).await?;
        let columns = Columns::of("journal_leaves", "size", &row);
        let (size, last) = (columns.integer("size")?, columns.integer("last")?);
        if size != last + 1 {
            return Err(columns.corrupt(format!("{size} leaves, the last is {last}")));
        }
        columns.number("size")
    }

    /// Keeps a signed checkpoint.
    ///
    /// # Errors
    /// [`Database`](Error::Database).
    pub async fn keep_checkpoint(&mut self, size: u64, note: &str, at: OffsetDateTime) -> Result<()> {
        let statement =
            query(sql::KEEP_CHECKPOINT).bind(length(size)?).bind(note.to_owned()).bind(micros(at));
        self.change("checkpoint", statement).await.map(drop)
    }

    /// The newest signed checkpoint with its size.
    ///
    /// # Errors
    /// [`Database`](Error::Database), [`Corrupt`](Error::Corrupt).
    pub async fn checkpoint(&mut self) -> Result<Option<(u64, String)>> {
        let Some(row) = self.optional("checkpoint", query(sql::CHECKPOINT)).await? else { return Ok(None) };
        let columns = Columns::of("journal_checkpoints", "size", &row);
        Ok(Some((columns.number("size")?, columns.text("words")?)))
    }

    pub(crate) async fn write_entry(&mut self, entry: &Entry) -> Result<()> {
        let body = entry.to_bytes();
        // Time first, so that ids sort as things happened; then the entry's own digest. Two equal entries of one
        // microsecond (two wrong passwords, say) are told apart by the last part.
        let digest = Digest::of(&body).to_string();
        for again in 0..MAX_EQUAL {
            let id = format!("{:016x}-{}-{again:02}", micros(entry.at), digest.get(..24).unwrap_or_default());
            let write = query(sql::WRITE)
                .bind(id.clone())
                .bind(body.clone())
                .bind(entry.event.as_str())
                .bind(entry.document.map(|id| id.to_string()))
                .bind(entry.attempt.map(|id| id.to_string()))
                .bind(micros(entry.at));
            if self.change("journal", write).await? == 1 {
                return self.change_one("journal", query(sql::PEND).bind(id)).await;
            }
        }
        Err(Error::Conflict("journal"))
    }

    async fn leaves(&mut self) -> Result<u64> {
        match self.optional("journal", query(sql::LAST)).await? {
            None => Ok(0),
            Some(row) => {
                Columns::of("journal_leaves", "leaf", &row).number::<u64>("leaf").map(|last| last + 1)
            }
        }
    }

    async fn node(&mut self, node: Node) -> Result<Digest> {
        let statement = query(sql::NODE).bind(i64::from(node.level)).bind(length(node.position)?);
        let row = self.optional("journal", statement).await?;
        let row = row.ok_or_else(|| Error::corrupt("journal_nodes", format!("{node:?}"), "missing"))?;
        Columns::of("journal_nodes", "hash", &row).word("hash")
    }

    async fn combine(&mut self, nodes: &[Node]) -> Result<Digest> {
        let mut hashes = Vec::with_capacity(nodes.len());
        for node in nodes {
            hashes.push(self.node(*node).await?);
        }
        Ok(audit::root_of(&hashes))
    }
}

fn line(columns: &Columns<'_>) -> Result<JournalLine> {
    let bytes = columns.bytes("body")?;
    let entry = Entry::from_bytes(&bytes).map_err(|error| columns.corrupt(error))?;
    Ok(JournalLine { index: columns.number_or_null("leaf")?, bytes, entry })
}

/// More equal entries in one microsecond than a machine can make.
const MAX_EQUAL: u8 = 100;
