//! `trinhky pdf …` and `trinhky verify` as people and scripts run them: the real binary on files, signatures by `openssl`
//! with the province's keys, time stamps, OCSP and CRLs from the province, every result judged by pyHanko, pdfsig and qpdf.

mod bench;
mod levels;
mod marks;
mod refusals;
mod signing;
mod streaming;
