//! The public corpora, if they are on this machine: `TRINHKY_CORPORA`, or the folder beside the repository.

use std::path::{Path, PathBuf};

/// All files under `part` of the corpora whose name ends in `.pdf`, sorted; empty if there are no corpora.
///
/// # Panics
/// If `TRINHKY_CORPORA` is set and the part is not there: a suite that was asked for must not vanish.
pub(crate) fn pdfs(part: &str) -> Vec<PathBuf> {
    let asked = std::env::var_os("TRINHKY_CORPORA");
    let mut files = Vec::new();
    let mut folders = vec![folder(part)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdf")) {
                files.push(path);
            }
        }
    }
    assert!(asked.is_none() || !files.is_empty(), "TRINHKY_CORPORA is set, but {part} holds no PDF files");
    files.sort();
    files
}

/// Where a part of the corpora is, if it is there.
pub(crate) fn folder(part: &str) -> PathBuf {
    let root = std::env::var_os("TRINHKY_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/public"),
        PathBuf::from,
    );
    root.join(part)
}
