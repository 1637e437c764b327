//! Any bytes through the readers of CMS, time-stamp tokens and certificates, and through every question asked of a signer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trinhky_pades::cms;
use trinhky_pades::tsp::Token;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = cms::parse(bytes) {
        for signer in &message.signers {
            let _ = message.certificate_of(signer);
            let _ = signer.has_signed_attributes();
            let _ = signer.signed_attribute_types().count();
            let _ = signer.claimed_time();
            let _ = signer.message_digest();
            let _ = signer.adobe_revocation();
            for token in signer.timestamp_tokens() {
                drop(Token::parse(token));
            }
        }
    }
    drop(Token::parse(bytes));
});
