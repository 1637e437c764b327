//! Any HTTP status and body through the reader of the signature service's replies. Every body has a meaning, if only
//! "unreadable"; none may panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trinhky_simpki::ts102204::read;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    drop(read::reply(status, body));
    if let Ok(text) = std::str::from_utf8(body) {
        let redacted = read::redact(text);
        assert_eq!(read::redact(&redacted), redacted, "redaction is stable");
    }
});
