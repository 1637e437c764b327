//! The evidence as a ZIP holds it. Reading only; every part has a limit, since the file comes from anywhere.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, copy};
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;
use trinhky_domain::Digest;
use trinhky_domain::audit::Consistency;
use trinhky_protos::document::DocumentView;
use zip::ZipArchive;

/// A part besides the document itself may be no longer.
const LONGEST_PART: u64 = 16 << 20;
/// Parts at most.
const MOST_PARTS: usize = 10_000;

/// The parts of a bundle.
pub(super) struct Bundle {
    /// The document as the server described it.
    pub(super) document: DocumentView,
    /// The PDF, on disk and without a name.
    pub(super) pdf: File,
    /// The journal's lines, in order.
    pub(super) journal: Vec<Vec<u8>>,
    /// Where each has its place.
    pub(super) proofs: Vec<Proof>,
    /// That the log of the checkpoint begins with those that devices had seen.
    pub(super) consistency: Vec<Consistency>,
    /// The signed checkpoint.
    pub(super) checkpoint: String,
    /// The key that signed it.
    pub(super) key: Vec<u8>,
    /// By field: the decision that led to its signature.
    pub(super) decisions: BTreeMap<String, Decision>,
}

/// A journal line's place in the tree.
#[derive(Debug, Deserialize)]
pub(super) struct Proof {
    /// Which line of the bundle, from 0.
    pub(super) line: usize,
    pub(super) index: u64,
    pub(super) size: u64,
    pub(super) path: Vec<Digest>,
}

/// A decision and the enrolment of the key that signed it.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) jws: String,
    pub(super) statement: Vec<u8>,
    pub(super) cms: Vec<u8>,
}

#[derive(Deserialize)]
struct Proofs<T> {
    proofs: Vec<T>,
}

impl Bundle {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut zip = ZipArchive::new(file).with_context(|| format!("{} is no ZIP", path.display()))?;
        ensure!(zip.len() <= MOST_PARTS, "{} has too many parts", path.display());
        let names = zip.file_names().map(|name| name.map(Cow::into_owned));
        let names: Vec<String> = names.collect::<Result<_, _>>().context("the bundle's list of parts")?;
        let lines = |name: &&String| {
            name.strip_prefix("journal/").and_then(|rest| rest.strip_suffix(".json")).is_some_and(is_number)
        };
        let mut lines: Vec<String> = names.iter().filter(lines).cloned().collect();
        lines.sort_unstable();
        let fields = names.iter().filter_map(|name| name.strip_prefix("decisions/")?.strip_suffix(".jws"));
        let mut decisions = BTreeMap::new();
        for field in fields {
            let decision = Decision {
                jws: text(&mut zip, &format!("decisions/{field}.jws"))?,
                statement: part(&mut zip, &format!("enrolments/{field}.json"))?,
                cms: part(&mut zip, &format!("enrolments/{field}.p7s"))?,
            };
            decisions.insert(field.to_owned(), decision);
        }
        let proofs: Proofs<Proof> =
            serde_json::from_slice(&part(&mut zip, "journal/proofs.json")?).context("journal/proofs.json")?;
        let consistency: Proofs<Consistency> =
            serde_json::from_slice(&part(&mut zip, "journal/consistency.json")?)
                .context("journal/consistency.json")?;
        Ok(Self {
            document: serde_json::from_slice(&part(&mut zip, "document.json")?).context("document.json")?,
            journal: lines.iter().map(|name| part(&mut zip, name)).collect::<Result<_, _>>()?,
            proofs: proofs.proofs,
            consistency: consistency.proofs,
            checkpoint: text(&mut zip, "journal/checkpoint.txt")?,
            key: part(&mut zip, "journal/key.der")?,
            decisions,
            pdf: pdf(&mut zip)?,
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn part(zip: &mut ZipArchive<File>, name: &str) -> anyhow::Result<Vec<u8>> {
    let found = zip.by_name(name).with_context(|| format!("the bundle has no {name}"))?;
    ensure!(found.size() <= LONGEST_PART, "{name} is too long");
    let mut bytes = Vec::new();
    found.take(LONGEST_PART).read_to_end(&mut bytes).with_context(|| name.to_owned())?;
    Ok(bytes)
}

fn text(zip: &mut ZipArchive<File>, name: &str) -> anyhow::Result<String> {
    String::from_utf8(part(zip, name)?).with_context(|| format!("{name} is no text"))
}

fn pdf(zip: &mut ZipArchive<File>) -> anyhow::Result<File> {
    let mut found = zip.by_name("released.pdf").context("the bundle has no released.pdf")?;
    let mut file = tempfile::tempfile()?;
    copy(&mut found, &mut file).context("released.pdf")?;
    Ok(file)
}
