//! Any bytes as a whole signed file: intake, and verification with every check there is. The report may say anything but
//! that a file passed under anchors that signed nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use time::macros::datetime;
use trinhky_pades::changes::AnalysisLimits;
use trinhky_pades::pdf::Limits;
use trinhky_pades::verify::{VerifyPolicy, verify};
use trinhky_pades::x509::TrustAnchors;
use trinhky_pades::{crypto, ingest};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { objects: 10_000, inflated_len: 1 << 20, inflated_total: 8 << 20, pages: 200, ..Limits::default() };
    drop(ingest(&bytes, &limits));
    let nobody = TrustAnchors::new([]);
    let mut policy = VerifyPolicy::new(&nobody, datetime!(2026-11-22 0:00 UTC), crypto::pure());
    policy.limits = limits;
    policy.analysis = AnalysisLimits { touched: 5_000, revisions: 32, depth: 32 };
    if let Ok(report) = verify(&bytes, &policy) {
        assert!(!report.passed(), "nobody is trusted");
    }
});
