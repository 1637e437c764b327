//! Verify a signed file against trust anchors of your own, without a network.
//!
//! ```sh
//! cargo run -p trinhky-pades --example verify -- signed.pdf roots.pem
//! ```

use std::{error::Error, fs};

use time::OffsetDateTime;
use trinhky_pades::{
    crypto,
    verify::{VerifyPolicy, verify},
    x509::TrustAnchors,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, roots] = arguments.as_slice() else { return Err("SIGNED.pdf ROOTS.pem".into()) };
    let bytes = fs::read(file)?;
    let anchors = TrustAnchors::from_pem(&fs::read_to_string(roots)?)?;
    // An example may look at the clock; the engine takes the time it is given.
    #[expect(clippy::disallowed_methods, reason = "an example is its own main program")]
    let now = OffsetDateTime::now_utc();
    let report = verify(&bytes, &VerifyPolicy::new(&anchors, now, crypto::pure()))?;
    println!("{}", report.reason);
    for one in &report.signatures {
        println!("{}: {:?} by {}, level {:?}", one.field, one.indication, one.signer.common_name, one.level);
        if let Some(why) = one.sub_indication {
            println!("  {why:?}: {:?}", one.checks);
        }
        for change in &one.later_changes {
            println!("  revision {}: {} (allowed: {})", change.revision, change.what, change.allowed);
        }
    }
    if report.passed() { Ok(()) } else { Err("not every signature passed".into()) }
}
