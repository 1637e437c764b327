//! `trinhky gate`: the only process that may raise a prompt on a SIM.

mod journal;
mod jws;
mod mssp;
