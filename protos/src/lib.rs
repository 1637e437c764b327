//! The wire contract of Trình Ký between server, core and apps.
//!
//! Plain serde types and nothing else: no rule is decided here. Names end in `Request`, `Response` or `View`; claims
//! that a device signs end in `Claims`. Byte strings travel as base64 ([`Base64Bytes`]), digests as 64 lower-case
//! hex digits ([`HexDigest`]), times as RFC 3339 in UTC. Unknown members are ignored on reading, so that a field may
//! be added without a new version; the signed claims alone refuse them, because there an unread word is a danger.
//!
//! | module | what |
//! |---|---|
//! | [`session`] | signing in, who I am |
//! | [`device`] | enrolling a phone: the statement, the claims its key signs |
//! | [`document`] | documents, files, reviews, the inbox |
//! | [`copies`] | what became of each recipient's copy |
//! | [`signing`] | preparing a signature, the decision, the attempt as the phone sees it |
//! | [`office`] | what an office offers to choose from |
//! | [`held`] | signatures that came too late: adopted or given up |
//! | [`seal`] | the clerk's number, seal and release |
//! | [`audit`] | that the journal only grows |
//! | [`problem`] | RFC 9457 problem details and every stable code with its status and sentences |

pub mod audit;
pub mod bytes;
pub mod copies;
pub mod device;
pub mod document;
pub mod held;
pub mod office;
pub mod problem;
pub mod seal;
pub mod session;
pub mod signing;

pub use bytes::{Base64Bytes, HexDigest};
/// The ids that wire types carry, for callers that know no other crate of ours.
pub use trinhky_domain::ids;
