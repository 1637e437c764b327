//! The examples, run as somebody would who read them: signed in two halves, numbered and sealed, verified, raised.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod timeline;

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use time::{Duration, OffsetDateTime};
use timeline::life::Life;
use trinhky_pades::pdf;

/// Runs an example in `folder`; cargo builds them beside the tests.
fn example(folder: &Path, name: &str, arguments: &[&str]) -> Result<String, String> {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("examples").join(name);
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(said) } else { Err(said) }
}

fn pem(der: &[u8]) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Answers with `openssl` for stamps and from a file for lists; no responder is reached.
const ASK: &str = "case $1 in\n\
    stamp) cat > request.tsq; openssl ts -reply -config tsa.cnf -section t -queryfile request.tsq ;;\n\
    crl) cat \"${2##*/}\" ;;\n\
    *) cat > /dev/null; exit 1 ;;\nesac\n";
const TSA: &str = "[t]\nserial=tsa.srl\nsigner_cert=tsa.pem\ncerts=ca.pem\nsigner_key=tsa.key\nsigner_digest=sha256\n\
    default_policy=1.2.3.4\ndigests=sha256\ness_cert_id_alg=sha256\n";

#[test]
#[expect(clippy::disallowed_methods, reason = "the examples look at the machine's clock")]
fn the_examples_work_together() {
    let now = OffsetDateTime::now_utc();
    let line = Life::on(now - Duration::hours(1)).line;
    let holder = tempfile::tempdir().unwrap();
    let folder = holder.path();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    for who in ["signer", "tsa", "ca"] {
        put(&format!("{who}.der"), &line.certificate(who));
        put(&format!("{who}.pem"), pem(&line.certificate(who)).as_bytes());
        fs::copy(line.key(who), folder.join(format!("{who}.key"))).unwrap();
    }
    put("in.pdf", &pdf::minimal());
    put("ca.crl", &line.crl("ca", now));
    put("tsa.cnf", TSA.as_bytes());
    put("tsa.srl", b"01\n");
    put("ask.sh", ASK.as_bytes());

    let halves = "sign_in_two_halves";
    example(folder, halves, &["prepare", "in.pdf", "signer.der", "base.pdf", "half.json", "tbs.der"])
        .unwrap();
    put("value.bin", &line.value("signer", &fs::read(folder.join("tbs.der")).unwrap()));
    let complete = ["complete", "base.pdf", "half.json", "signer.der", "value.bin", "signed.pdf"];
    example(folder, halves, &complete).unwrap();

    let said = example(folder, "verify", &["signed.pdf", "ca.pem"]).unwrap();
    assert!(said.contains("Signer1: TotalPassed") && said.contains("level BB"), "{said}");
    let said = example(folder, "upgrade", &["signed.pdf", "ca.pem", "lta.pdf", "sh", "ask.sh"]).unwrap();
    assert_eq!(said.matches("stamp ").count(), 2, "{said}");
    let said = example(folder, "verify", &["lta.pdf", "ca.pem"]).unwrap();
    assert!(said.contains("level BLta"), "{said}");

    put("seal.png", &picture());
    let seal = ["signed.pdf", "seal.png", "signer.der", "29/2026/QĐ-UBND", "ngày 24 tháng 11 năm 2026"];
    let said = example(folder, "seal_with_number", &seal).unwrap();
    assert!(said.contains("sign the SHA-256"), "{said}");

    // And it says no.
    let mut changed = fs::read(folder.join("signed.pdf")).unwrap();
    let at = changed.windows(9).position(|window| window == b"/MediaBox").unwrap();
    changed[at + 1] = b'X';
    put("changed.pdf", &changed);
    let said = example(folder, "verify", &["changed.pdf", "ca.pem"]).unwrap_err();
    assert!(said.contains("HashFailure"), "{said}");
}

/// A red square.
fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 8, 8);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&[210, 20, 30].repeat(64)).unwrap();
    bytes
}
