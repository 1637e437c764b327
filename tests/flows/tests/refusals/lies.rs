//! What a lying server prepares is refused by the leader's own device: here the core behind the real FFI, and a server
//! that changes its answers on the way.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use trinhky_flows::kept::Kept;
use trinhky_flows::leader::Leader;
use trinhky_flows::liar::Liar;
use trinhky_flows::main_job::{self, Cast};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_protos::problem::Code;

use crate::said::program_refused;

/// A lie about what was prepared, and the code and sentence the leader is told.
type Case = (&'static str, fn(&mut Value), &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "the appended part writes page 1 anew",
        |prepared| change_tail(prepared, page_anew),
        Code::TailChangesPage.as_str(),
        Code::TailChangesPage.vietnamese(),
    ),
    (
        "bytes behind the appended part",
        |prepared| change_tail(prepared, |_, tail| tail.extend_from_slice(b"more\n")),
        Code::TailForbidden.as_str(),
        Code::TailForbidden.vietnamese(),
    ),
    (
        "another base than was read",
        |prepared| prepared["base"]["sha256"] = "00".repeat(32).into(),
        Code::BaseChanged.as_str(),
        Code::BaseChanged.vietnamese(),
    ),
    (
        "another signer's field",
        |prepared| prepared["field"] = "OrgSeal".into(),
        Code::TailForbidden.as_str(),
        Code::TailForbidden.vietnamese(),
    ),
    (
        "a prompt about another document",
        |prepared| prepared["display_text"] = "Ky so VB Bo nhiem can bo. Ma %%VC%%".into(),
        "display_text_mismatch",
        "Dòng chữ SIM sẽ hiện không nói về văn bản này. Không ký.",
    ),
    (
        "a prompt without the code that the enrolment promised",
        |prepared| {
            prepared["code_kind"] = "none".into();
            let text = prepared["display_text"].as_str().unwrap_or_default().replace(". Ma %%VC%%", "");
            prepared["display_text"] = text.into();
        },
        "code_kind_changed",
        "Máy chủ đổi cách tính mã xác nhận so với lúc đăng ký thiết bị. Không ký; hãy hỏi quản trị, nếu cơ quan đổi thật thì đăng ký lại thiết bị.",
    ),
    (
        "an audit log written anew",
        |prepared| {
            let note = prepared["checkpoint"].as_str().unwrap_or_default().to_owned();
            let root = note.lines().nth(2).unwrap_or_default().to_owned();
            prepared["checkpoint"] = note.replace(&root, &STANDARD.encode([7; 32])).into();
        },
        "history_broken",
        "Máy chủ nhớ khác với thiết bị về lần quyết định trước. Không ký; hãy báo quản trị.",
    ),
    (
        "a decision this device never made",
        |prepared| prepared["previous_decision"] = "11".repeat(32).into(),
        "history_broken",
        "Máy chủ nhớ khác với thiết bị về lần quyết định trước. Không ký; hãy báo quản trị.",
    ),
];

#[tokio::test]
async fn the_leaders_device_refuses_what_a_lying_server_prepared() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    // A device that has never decided believes the server once about that.
    let honest = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    cast.leader.approve(honest).await?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    let prompts = main_job::sim_requests(&rig).await?;
    for (what, lie, code, sentence) in CASES {
        let liar = Liar::answering(&rig.url, move |path, answer| {
            if path.ends_with("/prepare") {
                lie(answer);
            }
        })
        .await?;
        let misled =
            Leader::new(&liar.url, &rig.world.account("leader", 0)?, &rig.folder.path().join("phone-0"))?;
        let before = Kept::now(&rig).await?;
        program_refused(misled.approve(document).await, code, sentence).context(*what)?;
        // The server prepared, as it was asked; nothing was decided.
        ensure!(Kept::now(&rig).await?.decisions() == before.decisions(), "{what}: decided");
        ensure!(main_job::sim_requests(&rig).await? == prompts, "{what}: the SIM was asked");
    }
    // Without the lie the same device signs.
    let approved = cast.leader.approve(document).await?;
    ensure!(approved["state"] == "embedded", "{approved}");
    Ok(())
}

fn change_tail(prepared: &mut Value, change: impl Fn(&Value, &mut Vec<u8>)) {
    let mut tail = prepared["tail"].as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    change(prepared, &mut tail);
    prepared["tail"] = STANDARD.encode(tail).into();
}

/// Writes page 1 anew within the appended revision, as an attacker who knows the format: the object, its entry in the
/// table, and a ByteRange that covers it.
fn page_anew(prepared: &Value, tail: &mut Vec<u8>) {
    let base_length = prepared["base"]["length"].as_u64().unwrap_or_default();
    let manifest =
        prepared["manifest"].as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let field = &manifest["fields"][0];
    let page = field["page_id"]["number"].as_u64().unwrap_or_default();
    let annotations = field["annots"]["number"].as_u64().unwrap_or_default();
    let object = format!(
        "{page} 0 obj\n<< /Type /Page /MediaBox [0 0 595 842] /Resources << >> /Annots {annotations} 0 R >>\nendobj\n"
    );
    if let Some(changed) = rewritten(tail, base_length, page, &object) {
        *tail = changed;
    }
}

fn rewritten(tail: &[u8], base_length: u64, page: u64, object: &str) -> Option<Vec<u8>> {
    let last = |what: &[u8]| tail.windows(what.len()).rposition(|window| window == what);
    let (xref, trailer, startxref) = (last(b"\nxref\n")? + 1, last(b"trailer")?, last(b"startxref\n")? + 10);
    let section: usize = std::str::from_utf8(&tail[startxref..]).ok()?.lines().next()?.parse().ok()?;
    let at = usize::try_from(base_length).ok()? + xref;
    let entry = format!("{page} 1\n{at:010} 00000 n\r\n");
    let mut changed = [&tail[..xref], object.as_bytes(), &tail[xref..trailer], entry.as_bytes()].concat();
    changed.extend_from_slice(&tail[trailer..startxref]);
    changed.extend_from_slice(format!("{}\n%%EOF\n", section + object.len()).as_bytes());
    let begin = changed.windows(10).position(|window| window == b"/ByteRange")?;
    let close = begin + changed[begin..].iter().position(|byte| *byte == b']')?;
    let written = std::str::from_utf8(&changed[begin..close]).ok()?;
    let mut numbers = written.split_once('[')?.1.split_whitespace().map(str::parse::<u64>);
    let (first, resume) = (numbers.nth(1)?.ok()?, numbers.next()?.ok()?);
    let whole = base_length + changed.len() as u64;
    let range = format!("/ByteRange [0 {first} {resume} {}", whole - resume);
    let room = close - begin;
    changed[begin..close].copy_from_slice(format!("{range:<room$}").as_bytes());
    Some(changed)
}
