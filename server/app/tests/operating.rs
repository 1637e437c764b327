//! What an operator is told: a page that knows every warning and error of the logs, and the jobs that were given up.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use time::macros::datetime;
use trinhky_domain::ids::JobId;
use trinhky_domain::paper::Urgency;
use trinhky_server::jobs::KINDS;
use trinhky_store::{NewJob, Store};

/// The sentence of each `tracing::warn!` and `tracing::error!` below the folder: the last string in it without an `=`
/// before it.
fn sentences(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("sources") {
        let path: PathBuf = entry.expect("entry").path();
        if path.is_dir() {
            sentences(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).expect("source");
            for call in text.split("tracing::warn!(").skip(1).chain(text.split("tracing::error!(").skip(1)) {
                let call = call.split_once(");").map_or(call, |(call, _)| call);
                if let Some(sentence) = call.trim_end().trim_end_matches(',').strip_suffix('"') {
                    found.extend(sentence.rsplit_once('"').map(|(_, sentence)| sentence.to_owned()));
                }
            }
        }
    }
}

#[test]
fn every_warning_stands_on_the_operators_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut logged = BTreeSet::new();
    sentences(&root.join("src"), &mut logged);
    assert!(logged.len() > 20, "the sources are not read: {logged:?}");
    let page = std::fs::read_to_string(root.join("../../docs/operating.md")).expect("docs/operating.md");
    let explained: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(sentence, _)| sentence.to_owned())
        .collect();
    let unexplained: Vec<_> = logged.difference(&explained).collect();
    assert!(unexplained.is_empty(), "docs/operating.md does not say what to do about {unexplained:?}");
}

/// An installation without anything that answers, and a job in it that failed its only time.
async fn installation(folder: &Path) -> JobId {
    let key = rcgen::generate_simple_self_signed(vec!["root.example".to_owned()]).expect("a certificate");
    std::fs::write(folder.join("roots.pem"), key.cert.pem()).expect("written");
    let settings = "[database]\nurl = \"sqlite:rows.db\"\n[files]\nurl = \"file:files\"\n\
                    [trust]\nroots = [\"roots.pem\"]\n[tsa]\nurl = \"http://127.0.0.1:9\"\n[scanner]\nmode = \"off\"\n";
    std::fs::write(folder.join("trinhky.toml"), settings).expect("written");
    let (well, said) = trinhky(folder, &["migrate"]);
    assert!(well, "migrate: {said}");
    let store = Store::open(&format!("sqlite:{}", folder.join("rows.db").display()), 2).await.expect("open");
    let now = datetime!(2026-01-05 08:00 UTC);
    let job = NewJob {
        id: JobId::at(now, 7),
        kind: KINDS[0].to_owned(),
        payload: "{}".to_owned(),
        dedupe: None,
        urgency: Urgency::Normal,
        run_at: now,
        max_runs: 1,
        created: now,
    };
    let mut tx = store.begin().await.expect("begin");
    tx.enqueue(&job).await.expect("enqueued");
    tx.commit().await.expect("committed");
    let (_, said) = trinhky(folder, &["doctor"]);
    assert!(said.contains("WRONG jobs: nobody has taken what is due since"), "{said}");
    let mut tx = store.begin().await.expect("begin");
    let until = now + time::Duration::minutes(1);
    let claimed = tx.claim_jobs(KINDS, "lease", now, until, 1).await.expect("claimed");
    assert!(tx.retry_job(&claimed[0], now, "410 Gone").await.expect("buried"));
    tx.commit().await.expect("committed");
    store.close().await;
    job.id
}

/// Whether the command ended well, and what it said.
fn trinhky(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_trinhky"))
        .arg("--config")
        .arg(folder.join("trinhky.toml"))
        .args(arguments)
        .output()
        .expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = installation(folder.path()).await;
    let (_, said) = trinhky(folder.path(), &["doctor"]);
    assert!(said.contains("ok    jobs: taken in time; 1 given up"), "{said}");
    let (well, said) = trinhky(folder.path(), &["admin", "jobs"]);
    assert!(well && said.contains(&id.to_string()) && said.contains("410 Gone"), "{said}");
    let (well, said) = trinhky(folder.path(), &["admin", "jobs", "--again"]);
    assert!(well && said.contains("1 of 1 are tried again"), "{said}");
    let (well, said) = trinhky(folder.path(), &["admin", "jobs"]);
    assert!(well && said.starts_with("0 given up"), "{said}");
}
