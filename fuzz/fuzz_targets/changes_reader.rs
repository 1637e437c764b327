//! Any tail behind a signed base: the difference analysis, and the review that a phone makes before it signs. The base
//! stays as it is, so all the work goes into what a revision may say.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trinhky_pades::changes::{AnalysisLimits, Restriction, TailExpectation, check_tail, judge, steps_after};
use trinhky_pades::pdf::{File, Limits};
use trinhky_pades::{BaseIndex, ingest};

static BASE: &[u8] = include_bytes!("../seeds/base.pdf");

static INDEX: LazyLock<BaseIndex> = LazyLock::new(|| match ingest(&BASE, &Limits::default()) {
    Ok(taken) => taken.index,
    Err(refusal) => panic!("the committed base is refused: {refusal}"),
});

fuzz_target!(|tail: &[u8]| {
    let limits = Limits { objects: 10_000, inflated_len: 1 << 20, inflated_total: 8 << 20, pages: 200, ..Limits::default() };
    let whole = [BASE, tail].concat();
    if let Ok(file) = File::open(&whole, &limits) {
        let analysis = AnalysisLimits { touched: 5_000, revisions: 32, depth: 32 };
        let steps = steps_after(&file, 0, &analysis);
        drop(judge(&steps, &Restriction { docmdp: Some(1), ..Restriction::default() }));
    }
    let expected = TailExpectation { field: "OrgSeal", ..TailExpectation::default() };
    drop(check_tail(&BASE, &INDEX, tail, &expected));
});
