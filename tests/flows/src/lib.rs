//! Whole-product tests, and the driver behind `make demo`: the real binaries as child processes, the imaginary province
//! of `tests/world` around them, the leader through the real FFI, the clerk over HTTP and PKCS#11.
//!
//! | module | what |
//! |---|---|
//! | [`process`] | a child process that prints one JSON line when it is ready, and can be killed |
//! | [`rig`] | world, settings, database, token, `serve`, `work` and `gate` in one temporary folder |
//! | [`clerk`] | the drafter's and clerk's side over HTTP, the seal agent |
//! | [`leader`] | the leader's side, in Python over the FFI |
//! | [`phone`] | the same without the FFI: many leaders at once, and one who lies |
//! | [`judges`] | pyHanko, pdfsig and qpdf asked about a released document |
//! | [`load`] | many leaders and many documents at once |
//! | [`main_job`] | one document from upload to release, step by step |
//!
//! Nothing here shares code with what it drives except the wire types.

pub mod clerk;
pub mod judges;
pub mod leader;
pub mod load;
pub mod main_job;
pub mod phone;
pub mod process;
pub mod rig;
