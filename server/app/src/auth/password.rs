//! Passwords as Argon2id strings (RFC 9106; 19 MiB, 2 passes, 1 lane: OWASP's floor).
//!
//! Both functions take some 20 ms of one core: call them from a blocking task.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::ambient::Random;

/// Checked when no account has the name, so that the answer takes as long as for one that has: its 32 bytes are the
/// hash of nothing.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm8gYWNjb3VudCBoZXJl$bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgZm9yIHRoaXM";

/// Hashes a password for storage.
///
/// # Errors
/// When it is longer than Argon2 takes (4 GiB).
pub fn hash(password: &str, random: &dyn Random) -> anyhow::Result<String> {
    let salt: [u8; 16] = random.bytes();
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|error| anyhow::anyhow!("hashing a password: {error}"))
}

/// Whether `password` is the one `stored` was made of. Without a stored string the answer is no, just as late.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    let fits = PasswordHash::new(stored.unwrap_or(DUMMY))
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    fits && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemRandom;

    #[test]
    fn a_password_fits_its_own_hash_alone() {
        let stored = hash("Mật khẩu của tôi", &SystemRandom).expect("hashes");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("Mật khẩu của tôi", Some(&stored)));
        assert!(!verify("mật khẩu của tôi", Some(&stored)));
        assert_ne!(stored, hash("Mật khẩu của tôi", &SystemRandom).expect("hashes"));
    }

    #[test]
    fn nobody_is_refused_after_real_work() {
        assert!(PasswordHash::new(DUMMY).is_ok());
        assert!(!verify("anything", None));
        assert!(!verify("anything", Some("not a hash")));
    }
}
