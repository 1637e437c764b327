//! Bearer tokens: 256 random bits in base64url. The row holds their SHA-256, so that a stolen database opens nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::ambient::Random;

/// A new token, and what is stored of it.
pub fn make(random: &dyn Random) -> (String, [u8; 32]) {
    let token = URL_SAFE_NO_PAD.encode(random.bytes::<32>());
    let stored = digest(&token);
    (token, stored)
}

/// What is stored of `token`. Plain SHA-256 is right here: there is nothing to guess in 256 random bits.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemRandom;

    #[test]
    fn a_token_is_found_by_its_digest() {
        let (token, stored) = make(&SystemRandom);
        assert_eq!(token.len(), 43);
        assert_eq!(digest(&token), stored);
    }
}
