//! Files that others signed: one more signature is appended, and every older revision stays as it was.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use trinhky_pades::{
    SignRequest, ingest,
    pdf::{File, Limits},
    prepare,
};

mod common;

#[test]
fn signed_files_take_one_more_revision_or_are_refused() {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for path in common::pdfs("pdf-signed/files") {
        let bytes = std::fs::read(&path).unwrap();
        let taken = match ingest(&bytes, &Limits::default()) {
            Ok(taken) => taken,
            Err(refusal) => {
                *counts.entry(refusal.code()).or_default() += 1;
                continue;
            }
        };
        let request = SignRequest::new("NextSigner", b"a certificate", OffsetDateTime::UNIX_EPOCH, [3; 16]);
        let prepared = match prepare(&bytes, &taken.index, &taken.midstate, &request) {
            Ok(prepared) => prepared,
            Err(error) => {
                *counts.entry(error.code()).or_default() += 1;
                continue;
            }
        };
        *counts.entry("prepared").or_default() += 1;
        let whole = [bytes, prepared.tail].concat();
        let file = File::open_strict(&whole, &Limits::default()).unwrap();
        let again = ingest(&whole, &Limits::default()).unwrap();
        assert_eq!(again.report.signatures, taken.report.signatures + 1, "{}", path.display());
        assert_eq!(again.report.pages, taken.report.pages, "{}", path.display());
        assert_eq!(file.revisions().len(), taken.report.revisions as usize + 1, "{}", path.display());
    }
    println!("{counts:?}");
}
