//! OpenSSL judges the trust services: chains, OCSP, CRLs, time stamps, and that each fault is seen as one.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod common;

use common::{Fixture, must, run};

fn ocsp(world: &Fixture, issuer: &str, certificate: &str, more: &[&str]) -> (String, bool) {
    let mut arguments = vec![
        "ocsp",
        "-CAfile",
        &world.ready.roots_pem,
        "-issuer",
        issuer,
        "-cert",
        certificate,
        "-url",
        &world.ready.ocsp_url,
    ];
    arguments.extend(more);
    run("openssl", &arguments)
}

fn stamp(world: &Fixture) -> (String, bool) {
    let [data, query, reply] = ["data", "query.tsq", "reply.tsr"].map(|name| world.path(name));
    std::fs::write(&data, "trình ký").unwrap();
    must("openssl", &["ts", "-query", "-data", &data, "-sha256", "-cert", "-out", &query]);
    let (text, ok) = run(
        "curl",
        &[
            "-sSf",
            "-H",
            "content-type: application/timestamp-query",
            "--data-binary",
            &format!("@{query}"),
            "-o",
            &reply,
            &world.ready.tsa_url,
        ],
    );
    if !ok {
        return (text, false);
    }
    run(
        "openssl",
        &[
            "ts",
            "-verify",
            "-queryfile",
            &query,
            "-in",
            &reply,
            "-CAfile",
            &world.ready.roots_pem,
            "-untrusted",
            &world.ready.org_ca_pem,
        ],
    )
}

#[test]
fn every_certificate_has_a_strict_chain() {
    let world = Fixture::start();
    let ready = &world.ready;
    let chain = |certificate: &str| {
        run(
            "openssl",
            &[
                "verify",
                "-x509_strict",
                "-CAfile",
                &ready.roots_pem,
                "-untrusted",
                &ready.chain_pem,
                certificate,
            ],
        )
    };
    for certificate in ready.sims.iter().map(|sim| &sim.certificate_pem).chain([&ready.seal.certificate_pem])
    {
        let (text, ok) = chain(certificate);
        assert!(ok, "{text}");
    }
    let fixture =
        |name: &str| &ready.fixtures.iter().find(|fixture| fixture.name == name).unwrap().certificate_pem;
    for (name, complaint) in [
        ("expired", "certificate has expired"),
        ("not-yet-valid", "certificate is not yet valid"),
        ("wrong-ca", "unable to get local issuer certificate"),
    ] {
        let (text, ok) = chain(fixture(name));
        assert!(!ok && text.contains(complaint), "{name}: {text}");
    }
    let subject = must(
        "openssl",
        &[
            "x509",
            "-in",
            &ready.sims[0].certificate_pem,
            "-noout",
            "-subject",
            "-nameopt",
            "utf8,sep_comma_plus",
        ],
    );
    assert!(subject.contains("title=Chủ tịch,CN=Trần Quốc Cường"), "{subject}");
}

#[test]
fn ocsp_and_crl_tell_who_is_revoked() {
    let world = Fixture::start();
    let ready = &world.ready;
    let leader = &ready.sims[0];
    let (text, _) = ocsp(&world, &ready.people_ca_pem, &leader.certificate_pem, &[]);
    assert!(text.contains("Response verify OK") && text.contains(": good"), "{text}");
    let (text, _) = ocsp(&world, &ready.org_ca_pem, &ready.seal.certificate_pem, &["-no_nonce"]);
    assert!(text.contains("Response verify OK") && text.contains(": good"), "{text}");
    let (text, _) = ocsp(&world, &ready.roots_pem, &ready.people_ca_pem, &[]);
    assert!(text.contains("Response verify OK") && text.contains(": good"), "{text}");

    world.control("/revoke", &format!(r#"{{"msisdn":"{}"}}"#, leader.msisdn));
    let (text, _) = ocsp(&world, &ready.people_ca_pem, &leader.certificate_pem, &[]);
    assert!(text.contains("Response verify OK") && text.contains(": revoked"), "{text}");

    let list = world.path("people.crl");
    must("curl", &["-sSf", "-o", &list, &format!("{}people.crl", ready.crl_url)]);
    let text = must(
        "openssl",
        &["crl", "-inform", "DER", "-in", &list, "-CAfile", &ready.people_ca_pem, "-noout", "-text"],
    );
    let serial = must("openssl", &["x509", "-in", &leader.certificate_pem, "-noout", "-serial"]);
    assert!(
        text.contains("verify OK") && text.contains(serial.trim().trim_start_matches("serial=")),
        "{text}"
    );

    world.control("/revoke", &format!(r#"{{"msisdn":"{}","undo":true}}"#, leader.msisdn));
    let (text, _) = ocsp(&world, &ready.people_ca_pem, &leader.certificate_pem, &[]);
    assert!(text.contains(": good"), "{text}");
}

#[test]
fn ocsp_faults_are_seen_by_openssl() {
    let world = Fixture::start();
    let certificate = &world.ready.sims[0].certificate_pem;
    for (fault, complaint) in [
        (r#""wrong_nonce""#, "Nonce Verify error"),
        (r#""bad_signature""#, "Response Verify Failure"),
        (r#""wrong_signer""#, "Response Verify Failure"),
        (r#""expired""#, "Status times invalid"),
        (r#""refuse""#, "trylater"),
        (r#""unknown""#, ": unknown"),
        (r#""down""#, "Error querying OCSP responder"),
        (r#""close""#, "Error querying OCSP responder"),
    ] {
        world.control("/fault", &format!(r#"{{"service":"ocsp","fault":{fault},"times":1}}"#));
        let (text, _) = ocsp(&world, &world.ready.people_ca_pem, certificate, &[]);
        assert!(text.contains(complaint), "{fault}: {text}");
    }
    let (text, _) = ocsp(&world, &world.ready.people_ca_pem, certificate, &[]);
    assert!(text.contains(": good"), "well again: {text}");
}

#[test]
fn time_stamps_verify_and_their_faults_do_not() {
    let world = Fixture::start();
    let (text, ok) = stamp(&world);
    assert!(ok && text.contains("Verification: OK"), "{text}");
    for (fault, complaint) in [
        ("wrong_nonce", "nonce mismatch"),
        ("no_nonce", "nonce not returned"),
        ("wrong_imprint", "message imprint mismatch"),
        ("bad_signature", "signature failure"),
        ("expired", "certificate has expired"),
        ("refuse", "timeNotAvailable"),
        ("down", "503"),
        ("close", "Empty reply"),
    ] {
        world.control("/fault", &format!(r#"{{"service":"tsa","fault":"{fault}","times":1}}"#));
        let (text, ok) = stamp(&world);
        assert!(!ok && text.contains(complaint), "{fault}: {text}");
    }
    assert!(stamp(&world).1);
}

#[test]
fn a_told_clock_moves_stamps_and_status() {
    let world = Fixture::start();
    world.control("/clock", r#"{"offset_seconds": 86400}"#);
    assert!(stamp(&world).1);
    let text = must("openssl", &["ts", "-reply", "-in", &world.path("reply.tsr"), "-text"]);
    let tomorrow = must("date", &["-u", "-d", "tomorrow", "+%b %e"]);
    assert!(text.contains(&format!("Time stamp: {}", tomorrow.trim())), "{text}");
}

#[test]
fn a_restarted_world_is_the_same_world() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = trinhky_world::Options::new(dir.path());
    let first = runtime.block_on(trinhky_world::Running::start(&options)).unwrap();
    let (root, url) = (std::fs::read(&first.ready().roots_pem).unwrap(), first.ready().tsa_url.clone());
    let leader = std::fs::read(&first.ready().sims[0].certificate_pem).unwrap();
    drop(first);
    // Aborted tasks give up their ports at their next turn.
    runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(50)).await });
    let second = runtime.block_on(trinhky_world::Running::start(&options)).unwrap();
    assert_eq!(std::fs::read(&second.ready().roots_pem).unwrap(), root);
    assert_eq!(std::fs::read(&second.ready().sims[0].certificate_pem).unwrap(), leader);
    assert_eq!(second.ready().tsa_url, url);
}
