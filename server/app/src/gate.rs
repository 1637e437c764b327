//! `trinhky gate`: the only process that may raise a prompt on a SIM.

mod converse;
mod grounds;
mod journal;
mod mssp;
