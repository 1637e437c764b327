//! pyHanko on our archives, and we on its: files raised here are trusted there at B-LTA with nothing but updates after the
//! signature, files made there at B-LTA are judged the same here, and may be raised further.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod timeline;

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use time::{Duration, OffsetDateTime};
use timeline::Use;
use timeline::life::{Life, signature};
use trinhky_pades::{
    Need, Step, Target, Upgrade, crypto, ingest, pdf,
    verify::{Kind, Level, VerifyPolicy},
};

/// pyHanko has the machine's clock, so these documents live now.
#[expect(clippy::disallowed_methods, reason = "the foreign judge looks at the machine's clock")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc().replace_nanosecond(0).unwrap()
}

/// The interpreter with pyHanko: named by the suite that sets it up, else where that puts it; `None` without it.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("TRINHKY_PYTHON").map(PathBuf::from);
    let usual = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/trinhky/venv/bin/python"));
    let found = named.clone().or(usual.filter(|path| path.exists()));
    if found.is_none() {
        eprintln!("SKIPPED: no Python with pyHanko (set TRINHKY_PYTHON)");
    }
    found
}

fn script(python: &Path, name: &str, arguments: &[&Path]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pyhanko").join(name);
    let output = Command::new(python).arg(script).args(arguments).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    said
}

/// Raises as an attendant would who gets every answer at once.
fn raise(life: &mut Life, target: Target, at: OffsetDateTime, authority: &str) {
    let anchors = life.line.anchors();
    let bytes = life.bytes.clone();
    let policy = VerifyPolicy::new(&anchors, at, crypto::pure());
    let mut upgrade = Upgrade::begin(&bytes, &policy, target, [8; 16]).unwrap();
    let upgraded = loop {
        let answer = match upgrade.poll(at).unwrap() {
            Step::Done(upgraded) => break upgraded,
            Step::Ask(Need::Timestamp { request, .. }) => life.line.stamp(authority, &request, at),
            Step::Ask(Need::Ocsp { certificate, .. }) => {
                life.line.ocsp(&life.line.who(certificate.as_der()), at)
            }
            Step::Ask(Need::Crl { url }) => {
                life.line.crl(if url.contains("root") { "root" } else { "ca" }, at)
            }
        };
        upgrade.answer(&answer, at).unwrap();
    };
    life.append(&upgraded.tail, upgraded.index, upgraded.midstate);
}

fn root(life: &Life, folder: &Path) -> PathBuf {
    let path = folder.join("root.pem");
    let body = base64::engine::general_purpose::STANDARD.encode(life.line.certificate("root"));
    std::fs::write(&path, format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"))
        .unwrap();
    path
}

#[test]
fn our_archives_are_trusted_there() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let start = now() - Duration::hours(3);
    for (name, stamp) in [("stamped", Some("tsa")), ("bare", None)] {
        let mut life = Life::on(start);
        life.sign(start, stamp);
        raise(&mut life, Target::Lta, start + Duration::hours(1), "tsa");
        raise(&mut life, Target::Lt, start + Duration::minutes(70), "tsa");
        let file = folder.path().join(format!("{name}.pdf"));
        let root = root(&life, folder.path());
        std::fs::write(&file, &life.bytes).unwrap();
        let said = script(&python, "judge.py", &[&file, &root]);
        assert!(said.contains("Signer1 ENTIRE_REVISION LTA_UPDATES bottom line True"), "{name}: {said}");
        // Renewed by another authority, and still; the newest stamp's own authority is told of by what comes after it.
        raise(&mut life, Target::Lta, start + Duration::minutes(80), "tsa2");
        raise(&mut life, Target::Lt, start + Duration::minutes(90), "tsa2");
        std::fs::write(&file, &life.bytes).unwrap();
        script(&python, "judge.py", &[&file, &root]);
        if let Ok(output) = Command::new("qpdf").arg("--check").arg(&file).output() {
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

#[test]
fn its_archives_are_trusted_here_and_may_be_renewed() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let start = now() - Duration::hours(1);
    let mut life = Life::on(start);
    // Its time-stamping authority for tests knows RSA alone.
    life.line.issue("rsa-tsa", "ca", Use::Stamping, start - Duration::days(1), start + Duration::days(900));
    for who in ["root", "ca", "signer", "rsa-tsa"] {
        std::fs::write(folder.path().join(format!("{who}.der")), life.line.certificate(who)).unwrap();
        std::fs::copy(life.line.key(who), folder.path().join(format!("{who}.key"))).unwrap();
    }
    for who in ["ca", "signer", "rsa-tsa"] {
        std::fs::write(folder.path().join(format!("{who}.ocsp")), life.line.ocsp(who, now())).unwrap();
    }
    for issuer in ["root", "ca"] {
        std::fs::write(folder.path().join(format!("{issuer}.crl")), life.line.crl(issuer, now())).unwrap();
    }
    let (page, made) = (folder.path().join("page.pdf"), folder.path().join("made.pdf"));
    std::fs::write(&page, pdf::minimal()).unwrap();
    script(&python, "make.py", &[&page, &made, folder.path()]);
    life.bytes = std::fs::read(&made).unwrap();
    let report = life.report(now() + Duration::MINUTE);
    assert!(report.passed(), "{report:#?}");
    let one = signature(&report);
    assert_eq!((one.field.as_str(), one.level), ("Foreign", Level::BLta), "{report:#?}");
    assert!(report.signatures.iter().any(|one| one.kind == Kind::DocumentTimestamp));
    // And raised further, which pyHanko accepts in turn.
    let taken = ingest(&life.bytes, &pdf::Limits::default()).unwrap();
    (life.index, life.midstate) = (taken.index, taken.midstate);
    raise(&mut life, Target::Lta, now(), "tsa2");
    raise(&mut life, Target::Lt, now() + Duration::SECOND, "tsa2");
    let root = root(&life, folder.path());
    std::fs::write(&made, &life.bytes).unwrap();
    let said = script(&python, "judge.py", &[&made, &root]);
    assert!(said.contains("LTA_UPDATES"), "{said}");
    let report = life.report(now() + Duration::MINUTE);
    assert_eq!(signature(&report).level, Level::BLta, "{report:#?}");
}
