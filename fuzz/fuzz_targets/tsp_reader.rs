//! Any bytes as a time-stamp response, and as a bare token with every question asked of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trinhky_pades::crypto;
use trinhky_pades::tsp::{TimestampRequest, Token};

fuzz_target!(|bytes: &[u8]| {
    let token = TimestampRequest::token_in(bytes);
    for der in [Some(bytes), token.as_deref().ok()].into_iter().flatten() {
        if let Ok(token) = Token::parse(der) {
            assert!(token.consumed() <= der.len());
            drop(token.check(token.imprint(), &[], crypto::pure()));
        }
    }
    if let Ok(request) = TimestampRequest::over(b"what no seed is about", [7; 16]) {
        assert!(request.accept(bytes, crypto::pure()).is_err(), "nobody stamped this");
    }
});
