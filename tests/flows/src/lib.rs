//! Whole-product tests, and the driver behind `make demo`: the real binaries as child processes, the imaginary province
//! of `tests/world` around them, the leader through the real FFI, the clerk over HTTP and PKCS#11.
//!
//! | module | what |
//! |---|---|
//! | [`process`] | a child process that prints one JSON line when it is ready, and can be killed |
//! | [`rig`] | world, settings, database, token, `serve`, `work` and `gate` in one temporary folder |
//! | [`clerk`] | the drafter's and clerk's side over HTTP |
//! | [`sealer`] | the seal agent at the terminal, and its window as the browser sees it |
//! | [`leader`] | the leader's side, in Python over the FFI |
//! | [`phone`] | the same without the FFI: many leaders at once, and one who lies |
//! | [`judges`] | pyHanko, pdfsig and qpdf asked about a released document |
//! | [`liar`] | a server that changes what it was asked or what it answers |
//! | [`kept`] | what the product keeps, counted, and rows forged by hand |
//! | [`scanner`] | the real clamd, told what to find |
//! | [`load`] | many leaders and many documents at once |
//! | [`urgent`] | urgent documents among many ordinary ones |
//! | [`serving`] | how soon the server is there, and what it takes |
//! | [`sims`] | what the leaders' SIMs do, and when one shows its prompt |
//! | [`push`] | subscriptions, and what the push service was handed |
//! | [`logs`] | what no process may have logged |
//! | [`mail`] | what the mail server has taken, and the recipients' copies |
//! | [`main_job`] | one document from upload to release, step by step |
//!
//! Nothing here shares code with what it drives except the wire types.

pub mod clerk;
pub mod judges;
pub mod kept;
pub mod leader;
pub mod liar;
pub mod load;
pub mod logs;
pub mod mail;
pub mod main_job;
pub mod phone;
pub mod process;
pub mod push;
pub mod rig;
pub mod scanner;
pub mod sealer;
pub mod serving;
pub mod sims;
pub mod urgent;
