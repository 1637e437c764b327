//! Raise a signed file to B-LTA. The machine asks, this program fetches: here by running a command of yours for each
//! question, which gets kind and address as arguments and the request on standard input, and prints the answer.
//!
//! ```sh
//! cat > ask.sh <<'SH'
//! case $1 in
//!   stamp) curl -s --data-binary @- -H 'Content-Type: application/timestamp-query' http://tsa.example.vn/ ;;
//!   ocsp)  curl -s --data-binary @- -H 'Content-Type: application/ocsp-request' "$2" ;;
//!   crl)   curl -s "$2" ;;
//! esac
//! SH
//! cargo run -p trinhky-pades --example upgrade -- signed.pdf roots.pem lta.pdf sh ask.sh
//! ```

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::{error::Error, fs};

use time::OffsetDateTime;
use trinhky_pades::{Need, Step, Target, Upgrade, crypto, verify::VerifyPolicy, x509::TrustAnchors};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, roots, output, program, more @ ..] = arguments.as_slice() else {
        return Err("SIGNED.pdf ROOTS.pem OUT.pdf COMMAND...".into());
    };
    let mut bytes = fs::read(input)?;
    let anchors = TrustAnchors::from_pem(&fs::read_to_string(roots)?)?;
    let policy = VerifyPolicy::new(&anchors, now(), crypto::pure());
    let mut upgrade = Upgrade::begin(&bytes, &policy, Target::Lta, fresh()?)?;
    let upgraded = loop {
        let (kind, url, request) = match upgrade.poll(now())? {
            Step::Done(upgraded) => break upgraded,
            Step::Ask(Need::Timestamp { request, .. }) => ("stamp", String::new(), request),
            Step::Ask(Need::Ocsp { url, request, .. }) => ("ocsp", url, request),
            Step::Ask(Need::Crl { url }) => ("crl", url, Vec::new()),
        };
        println!("{kind} {url}");
        match ask(program, more, kind, &url, &request) {
            Ok(answer) => upgrade.answer(&answer, now())?,
            Err(error) => upgrade.unanswered(&error.to_string())?,
        }
    };
    bytes.extend_from_slice(&upgraded.tail);
    fs::write(output, &bytes)?;
    println!("{output}: SHA-256 {}; {}", upgraded.sha256, upgraded.report.reason);
    Ok(())
}

fn ask(
    program: &str,
    more: &[String],
    kind: &str,
    url: &str,
    request: &[u8],
) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut command = Command::new(program);
    command.args(more).args([kind, url]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(request)?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() { Ok(output.stdout) } else { Err(format!("{}", output.status).into()) }
}

/// Sixteen bytes that nobody can foretell.
fn fresh() -> Result<[u8; 16], Box<dyn Error>> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// An example may look at the clock; the engine takes the time it is given.
#[expect(clippy::disallowed_methods, reason = "an example is its own main program")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
