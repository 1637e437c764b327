//! Any bytes as a revocation list, searched for serial numbers that are in it and that are not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trinhky_pades::crl::Crl;

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = Crl::from_der(bytes) else { return };
    let _ = (list.this_update(), list.next_update(), list.number(), list.is_delta());
    for serial in [&[0x64][..], &[0x65], &[0x7f; 20], bytes.get(..9).unwrap_or_default()] {
        let _ = list.lookup(list.issuer(), serial);
    }
});
