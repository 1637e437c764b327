//! Releases: outside the leaders' decisions, with a signature that is missing or broken, with malware inside. After each
//! forgery is undone, the same document is released.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use trinhky_domain::ids::DocumentId;
use trinhky_flows::kept::{Kept, Rows};
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_flows::scanner::Clamd;
use trinhky_protos::problem::Code;

use crate::said::refused;

#[tokio::test]
async fn releases_that_the_leaders_did_not_decide_on_or_that_do_not_verify() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = sealed(&rig, &cast).await?;

    let recipient = "particulars = json_set(particulars, '$.recipients[#]', json('{\"name\": \"Nơi khác\", \"channel\": \"paper\"}'))";
    let attachment = "bundle = json_insert(bundle, '$[#]', json_set(json_extract(bundle, '$[0]'), '$.role', 'attachment'))";
    let head = |revisions_back: usize| {
        let mut found = "(select head_sha256 from documents where document_id = 'ID')"
            .replace("ID", &document.to_string());
        for _ in 0..revisions_back {
            found = format!("(select base_sha256 from files where sha256 = {found})");
        }
        format!("head_length = (select length from files where sha256 = {found}), head_sha256 = {found}")
    };
    for (what, change, code) in [
        ("a recipient more", recipient.to_owned(), Code::OutsideDecision),
        ("an attachment more", attachment.to_owned(), Code::OutsideDecision),
        ("the seal missing", head(1), Code::SignatureBroken),
        ("the leader's signature missing", head(2), Code::LeaderSignatureMissing),
    ] {
        let forgery = Forgery::of(&rig, document, &change).await.context(what)?;
        is_refused(&rig, &cast, document, code).await.context(what)?;
        forgery.undo(&rig).await?;
    }
    for (what, revisions_back) in [("the seal broken", 0), ("the leader's signature broken", 1)] {
        let damage = Damage::to_signature(&rig, document, revisions_back).await.context(what)?;
        is_refused(&rig, &cast, document, Code::SignatureBroken).await.context(what)?;
        damage.repair()?;
    }

    cast.clerk.release(document).await?;
    cast.clerk.wait_for(document, "released", PATIENCE).await?;
    Ok(())
}

/// What the scanner did not know at the door it may know at the release.
#[tokio::test]
async fn a_release_of_what_turns_out_to_be_infected() -> Result<()> {
    let mut clamd = Clamd::start(b"TRINHKY-SCANNER-TEST-MARK").await?;
    let rig = Rig::start(&Plan { scanner: Some(clamd.address()), ..Plan::default() }).await?;
    let cast = Cast::gather(&rig).await?;
    let document = sealed(&rig, &cast).await?;
    clamd.learns(b"/MediaBox").await?;
    is_refused(&rig, &cast, document, Code::Infected).await?;
    clamd.stop().await?;
    is_refused(&rig, &cast, document, Code::ScannerUnavailable).await
}

/// Refused, nothing kept, still sealed.
async fn is_refused(rig: &Rig, cast: &Cast, document: DocumentId, code: Code) -> Result<()> {
    let before = Kept::now(rig).await?;
    refused(cast.clerk.release(document).await, code)?;
    before.unchanged(rig).await?;
    let state = cast.clerk.document(document).await?.state.name;
    ensure!(state == "sealed", "the document is {state}");
    Ok(())
}

async fn sealed(rig: &Rig, cast: &Cast) -> Result<DocumentId> {
    let document = main_job::numbered(rig, cast).await?;
    rig.seal(&cast.clerk, document).await?;
    cast.clerk.wait_for(document, "sealed", PATIENCE).await?;
    Ok(document)
}

/// A change of the document's row past the server, and the row as it was.
struct Forgery {
    table: String,
    document: DocumentId,
}

impl Forgery {
    async fn of(rig: &Rig, document: DocumentId, change: &str) -> Result<Self> {
        let mut rows = Rows::of(rig).await?;
        let table = format!("kept_{}", rows.number("select count(*) from sqlite_master").await?);
        rows.script(&format!(
            "create table {table} as select * from documents where document_id = '{document}';
             update documents set {change} where document_id = '{document}'"
        ))
        .await?;
        Ok(Self { table, document })
    }

    async fn undo(self, rig: &Rig) -> Result<()> {
        let Self { table, document } = self;
        let back = ["particulars", "bundle", "head_sha256", "head_length"];
        let back: Vec<String> =
            back.iter().map(|column| format!("{column} = (select {column} from {table})")).collect();
        let sql = format!("update documents set {} where document_id = '{document}'", back.join(", "));
        Rows::of(rig).await?.script(&sql).await
    }
}

/// One digit of what a signature covers, changed in the file on disk.
struct Damage {
    path: PathBuf,
    before: Vec<u8>,
}

impl Damage {
    async fn to_signature(rig: &Rig, document: DocumentId, revisions_back: usize) -> Result<Self> {
        let mut revision = format!("(select head_sha256 from documents where document_id = '{document}')");
        for _ in 0..revisions_back {
            revision = format!("(select base_sha256 from files where sha256 = {revision})");
        }
        let named = format!("select tail_sha256 from files where sha256 = {revision}");
        let tail = Rows::of(rig).await?.text(&named).await?;
        let path = rig.folder.path().join("files").join(&tail[..2]).join(&tail);
        let before = std::fs::read(&path)?;
        let mut bytes = before.clone();
        let time = bytes.windows(2).position(|window| window == b"D:").context("a signature's time")?;
        let digit = bytes.get_mut(time + 5).context("the last digit of its year")?;
        *digit = if *digit == b'0' { b'1' } else { b'0' };
        std::fs::write(&path, &bytes)?;
        Ok(Self { path, before })
    }

    fn repair(self) -> Result<()> {
        Ok(std::fs::write(self.path, self.before)?)
    }
}
