//! Who is asking. Password (Argon2id) and TOTP (RFC 6238) open a session; its bearer token is 256 random bits of which
//! the server keeps the SHA-256 alone.
//!
//! | module | what |
//! |---|---|
//! | [`caller`] | the person behind a request |
//! | [`password`] | Argon2id, in a blocking task, with a dummy for unknown accounts |
//! | [`totp`] | six digits, ±1 step, each step good once |
//! | [`second_factor`] | its secret, sealed in its row |
//! | [`token`] | bearer tokens |
//! | [`tries`] | how often an account or an address may fail |

pub mod caller;
pub mod password;
pub mod second_factor;
pub mod token;
pub mod totp;
pub mod tries;
