//! Makes the seeds of `fuzz/` from documents of our own: `FUZZ_SEEDS=fuzz/seeds cargo test -p trinhky-pades --test
//! fuzz_seeds`. Without that, checks that those that are committed still mean something: seeds that no reader takes any
//! more teach a fuzzer nothing.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;
mod rich;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod timeline;

use std::fs;
use std::path::{Path, PathBuf};

use time::Duration;
use timeline::Use;
use timeline::life::{DAY, Life, years};
use trinhky_pades::changes::{AnalysisLimits, steps_after};
use trinhky_pades::crl::Crl;
use trinhky_pades::crypto;
use trinhky_pades::ocsp::OcspResponse;
use trinhky_pades::pdf::{File, Limits};
use trinhky_pades::tsp::TimestampRequest;
use trinhky_pades::verify::{VerifyPolicy, verify};
use trinhky_pades::x509::TrustAnchors;
use trinhky_pades::{SignRequest, ingest, prepare};

fn make(folder: &Path) {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let mut life = Life::small();
    let asked = TimestampRequest::over(b"anything", [7; 16]).unwrap();
    put("tsp_reader/response.der", &life.line.stamp("tsa", asked.as_der(), DAY));
    life.line.old_hash.set(true);
    put("tsp_reader/response-sha1.der", &life.line.stamp("tsa", asked.as_der(), DAY));
    life.line.old_hash.set(false);
    put("ocsp_reader/good.der", &life.line.ocsp("signer", DAY));
    put("crl_reader/empty.der", &life.line.crl("ca", DAY));
    life.line.issue("ca-responder", "ca", Use::Responding, DAY - years(1), DAY + years(1));
    life.line.revoke("signer", DAY + Duration::days(1));
    put("ocsp_reader/revoked.der", &life.line.ocsp("signer", DAY + Duration::days(2)));
    put("crl_reader/one.der", &life.line.crl("ca", DAY + Duration::days(2)));
    life.sign(DAY, Some("tsa"));
    put("intake_reader/page.pdf", &job::text_page());
    put("intake_reader/rich.pdf", &rich::page());
    put("intake_reader/streams.pdf", &job::as_streams(&rich::page()));
    put("base.pdf", &life.bytes);
    put("verify_reader/signed.pdf", &life.bytes);
    let base = life.bytes.len();
    let mut request = SignRequest::new("OrgSeal", &life.line.certificate("signer"), DAY, [4; 16]);
    request.reserve = life.reserve;
    let waiting = prepare(&life.bytes, &life.index, &life.midstate, &request).unwrap();
    put("changes_reader/waiting.tail", &waiting.tail);
    life.store(&["signer", "tsa"], DAY);
    put("changes_reader/store.tail", &life.bytes[base..]);
    life.archive("tsa2", DAY + Duration::hours(1));
    put("changes_reader/archived.tail", &life.bytes[base..]);
    put("verify_reader/archived.pdf", &life.bytes);
}

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds")
}

fn each(target: &str, takes: impl Fn(&[u8]) -> bool) {
    let mut count = 0;
    for entry in fs::read_dir(seeds().join(target)).unwrap() {
        let path = entry.unwrap().path();
        assert!(takes(&fs::read(&path).unwrap()), "{}: no reader takes it", path.display());
        count += 1;
    }
    assert!(count > 1, "{target}");
}

#[test]
fn the_seeds_mean_something() {
    if let Some(folder) = std::env::var_os("FUZZ_SEEDS") {
        make(Path::new(&folder));
    }
    each("intake_reader", |bytes| ingest(&bytes, &Limits::default()).is_ok());
    each("tsp_reader", |bytes| TimestampRequest::token_in(bytes).is_ok());
    each("ocsp_reader", |bytes| OcspResponse::from_der(bytes).is_ok());
    each("crl_reader", |bytes| Crl::from_der(bytes).is_ok());
    let nobody = TrustAnchors::new([]);
    let policy = VerifyPolicy::new(&nobody, DAY, crypto::pure());
    each("verify_reader", |bytes| verify(&bytes, &policy).is_ok_and(|report| !report.signatures.is_empty()));
    let base = fs::read(seeds().join("base.pdf")).unwrap();
    each("changes_reader", |tail| {
        let whole = [base.as_slice(), tail].concat();
        let file = File::open_strict(&whole, &Limits::default()).unwrap();
        steps_after(&file, 0, &AnalysisLimits::default()).len() > 1
    });
}
