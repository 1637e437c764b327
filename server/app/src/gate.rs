//! `trinhky gate`: the only process that may raise a prompt on a SIM.

mod certificates;
mod converse;
mod grounds;
mod journal;
mod mssp;

pub use certificates::NoCertificates;
pub use converse::{Row, Service};
pub use grounds::{Belief, Case, Device, Grounds, Unmatched};
