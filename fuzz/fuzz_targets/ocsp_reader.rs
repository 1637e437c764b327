//! Any bytes as an OCSP response, held against every certificate that it carries as issuer and as subject.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trinhky_pades::crypto;
use trinhky_pades::ocsp::OcspResponse;

fuzz_target!(|bytes: &[u8]| {
    let Ok(response) = OcspResponse::from_der(bytes) else { return };
    let _ = response.produced_at();
    for issuer in response.certificates() {
        let _ = response.serials(issuer).count();
        drop(response.signer(issuer, crypto::pure()));
        for certificate in response.certificates() {
            drop(response.status(certificate, issuer, crypto::pure()));
        }
    }
});
