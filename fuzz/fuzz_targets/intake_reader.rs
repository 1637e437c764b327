//! Any bytes as an upload: taken in, provisioned with the usual fields, and the first signature prepared, at the bounds
//! that the product sets. Whatever is accepted must be a file that can be read and verified again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;
use trinhky_pades::pdf::{File, Limits};
use trinhky_pades::verify::{VerifyPolicy, verify};
use trinhky_pades::x509::TrustAnchors;
use trinhky_pades::{Digest, ProvisionPlan, SignRequest, crypto, ingest, prepare, provision};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let Ok(taken) = ingest(&bytes, &limits) else { return };
    let mut base = Vec::new();
    let Ok(made) = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base) else { return };
    assert_eq!(Digest::of(&base), made.sha256);
    let request = SignRequest::new("Signer1", b"a certificate", OffsetDateTime::UNIX_EPOCH, [3; 16]);
    let prepared = match prepare(&base, &made.index, &made.midstate, &request) {
        Ok(prepared) => prepared,
        Err(error) => panic!("what was provisioned cannot be signed: {error}"),
    };
    let whole = [base, prepared.tail].concat();
    match File::open_strict(&whole, &limits) {
        Ok(file) => assert_eq!(file.revisions().len(), 2),
        Err(error) => panic!("what was prepared cannot be read: {error}"),
    }
    let anchors = TrustAnchors::new([]);
    let policy = VerifyPolicy::new(&anchors, OffsetDateTime::UNIX_EPOCH, crypto::pure());
    match verify(&whole, &policy) {
        Ok(report) => assert_eq!(report.signatures.len(), 1),
        Err(error) => panic!("what was prepared cannot be verified: {error}"),
    }
});
