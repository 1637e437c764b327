//! The classes of attacks on signed files, each in many variants: on every page, on files with tables and with streams,
//! provisioned or not, signed once, sealed, and with long-term data. Nothing of it may pass, whatever the reason; one
//! harmless revision of each file does, so that the others do not fail for being clumsy.
//!
//! Universal forgery (what a verifier must find is missing or absurd), incremental saving, wrapping, shadow (hide, replace,
//! both), evil annotations and sneaky signatures after certification, exchanged certificates, keys twice, byte ranges.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

mod certificates;
mod content;
mod desk;
mod fields;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
#[path = "../forge/mod.rs"]
mod forge;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
#[path = "../job/mod.rs"]
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
#[path = "../pki/mod.rs"]
mod pki;
mod structure;

use desk::*;
use forge::*;

#[test]
fn the_bases_pass_and_so_does_a_harmless_revision() {
    for (base, bytes) in &DESK.bases {
        assert!(DESK.passes(bytes), "{base}");
        let metadata = "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>";
        let (root, fresh) = (catalog(bytes), next(bytes));
        let harmless = revised(
            bytes,
            &[
                (fresh, stream("/Type /Metadata /Subtype /XML", metadata)),
                (root, with(bytes, root, &[("Metadata", &format!("{fresh} 0 R"))])),
            ],
        );
        assert!(DESK.passes(&harmless), "{base}: metadata");
    }
}
