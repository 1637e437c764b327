//! One signature by a SIM card, from the bytes to be signed to the raw value that came back.
//!
//! The crate holds everything that is protocol and nothing that is I/O: it opens no socket, reads no
//! clock, draws no random number and spawns nothing. Bytes, times and chance come in as arguments.
//!
//! ```text
//! display  what the SIM shows (folded Vietnamese, GSM-7 budget, %%VC%%)      code  the number both screens show
//!     \                                                                       /
//!      Prepared --approve--> Attempt --poll--> Request --ts102204::write--> SOAP bytes ==> MSSP
//!                            Attempt <-receive- Reply <--ts102204::read---- SOAP bytes <== MSSP
//! ```
//!
//! * [`attempt`] is the machine that asks a phone at most once, whatever fails around it.
//! * [`ts102204`] writes and reads ETSI TS 102 204 messages in the profile spoken by the Vietnamese
//!   government's mobile signature service (child order, wrapper namespaces, `DigestInfo` as data).
//! * [`status`] is the table of status codes with what each one means for the leader and the operator.
//! * [`display`] and [`code`] make the text and the verification code that the leader compares.
//!
//! It does not verify signatures: whoever receives a [`reply::SignatureValue`] verifies it over its own
//! digest with the pinned certificate before using it. A provider's "valid signature" is a hint.

pub mod attempt;
pub mod code;
pub mod digest;
pub mod display;
pub mod ids;
pub mod reply;
pub mod request;
pub mod status;
pub mod ts102204;
