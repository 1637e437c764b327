//! The clerk's half of signing: the organisation's token over PKCS#11, used only after the leader's signature, decision
//! and enrolment were verified here against the agent's own roots and list.
//!
//! A small local program, so that neither the server nor the web app ever reaches the token. See `config` for its file.
//!
//! ```text
//! trinhky-seal-agent --config F seal --document ID [--yes] [--pin-stdin]   → {"document","number","date","base_sha256","sealed":true}
//! trinhky-seal-agent --config F doctor                                     → {"ok","checks":[…]}
//! ```
//!
//! Exit 0: sealed (or all is well). 1: refused, `{"error":{"code","message","what"}}`. 2: usage.

mod config;
mod error;
mod journal;
mod pin;
mod token;

fn main() {}
