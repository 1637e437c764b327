//! What every signer's device shares, whatever draws the screens: inbox, review, digest, consent, detached CMS.
//!
//! The leader's half of the main job (architecture, section 3, steps 4-10). The server is not believed: the core
//! fetches the bytes and digests them itself, checks what would be appended, computes what the SIM will sign, and only
//! then lets the device key sign a decision. Each step is a type that only the step before it can make:
//!
//! ```text
//! Session ─ review ─► Reviewed ─ check ─► Checked ─ decide ─► Asked ─ next ─► the raw value, the CMS, the end
//!           bytes,               tail,               device key          verified over the DTBS computed here
//!           digests              DTBS, code          signs
//! Reviewed ─ check_held ─► HeldChecked ─ adopt ─► Asked ─ …   a signature that came after its wish was withdrawn
//! Session ─ begin_enrolment ───────────► EnrolmentChecked ─ confirm ─► Asked ─ …
//! ```
//!
//! No runtime, no socket, no clock and no random source of its own: a [`Platform`] brings them. With the feature
//! `native` there is a [`Platform`] for phones and desks made of reqwest and the system's clock.

mod api;
mod asked;
mod bundle;
mod certificate;
mod check;
mod codes;
mod decide;
mod enrol;
mod error;
mod examine;
mod fetch;
mod held;
mod inbox;
pub mod jws;
mod keep;
#[cfg(feature = "native")]
pub mod native;
mod platform;
mod prompt;
mod review;
mod session;
#[cfg(test)]
mod testing;

pub use api::Server;
pub use asked::{Asked, Progress, WAIT_SECONDS};
pub use bundle::{bundle_digest, main_file};
pub use certificate::same_name;
pub use check::{Checked, DeclaredField};
pub use enrol::EnrolmentChecked;
pub use error::{CoreError, Error, Told};
pub use examine::{byte_range_digest, check_manifest};
pub use held::HeldChecked;
pub use inbox::Inbox;
pub use keep::{History, Memory, OpenAttempt, Pin};
pub use platform::{
    Chance, ChanceError, Clock, DeviceKey, DeviceKeyError, Keep, KeepError, Method, Platform, Request,
    Response, Transport, TransportError,
};
pub use review::Reviewed;
pub use session::Session;
