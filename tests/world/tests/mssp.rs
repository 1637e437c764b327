//! The MSSP as a foreign client sees it: curl with the AP's certificate sends SOAP, OpenSSL checks what the SIM signed.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod common;

use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use common::{Fixture, must, run};
use serde_json::Value;

const DIGEST_ABC: &str = "MDEwDQYJYIZIAWUDBAIBBQAEILp4Fr+PAc/qQUFA3l2uIiOwA2Gjlhd6nLQQ/2HyABWt";
static NEXT: AtomicU32 = AtomicU32::new(1);

fn fresh() -> String {
    format!("T{:010}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// `AP_Info` and `MSSP_Info`.
fn header(world: &Fixture, trans_id: &str) -> String {
    let password = std::fs::read_to_string(&world.ready.ap_password_file).unwrap();
    let now = must("date", &["-u", "+%Y-%m-%dT%H:%M:%S.000Z"]);
    let now = now.trim();
    format!(
        r#"<mss:AP_Info AP_ID="{}" AP_PWD="{password}" AP_TransID="{trans_id}" Instant="{now}"/><mss:MSSP_Info Instant="{now}"><mss:MSSP_ID><mss:URI>http://hmssp.mobile-id.vn</mss:URI></mss:MSSP_ID></mss:MSSP_Info>"#,
        world.ready.ap_id
    )
}

fn envelope(operation: &str, message: &str, attributes: &str, inner: &str) -> String {
    format!(
        r#"<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body><w:{operation} xmlns:w="http://ae.mobile-id.vn/TS102204/etsi204"><{message}Req xmlns="" xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#" MajorVersion="1" MinorVersion="1"{attributes}>{inner}</{message}Req></w:{operation}></env:Body></env:Envelope>"#
    )
}

fn wish(world: &Fixture, msisdn: &str, trans_id: &str, mode: &str, timeout: u32) -> String {
    let inner = format!(
        r#"{}<mss:MobileUser><mss:MSISDN>{msisdn}</mss:MSISDN></mss:MobileUser><mss:DataToBeSigned MimeType="application/octet-stream" Encoding="base64">{DIGEST_ABC}</mss:DataToBeSigned><mss:DataToBeDisplayed MimeType="text/plain" Encoding="UTF-8">Ky so VB 123/QD-UBND. Ma %%VC%%</mss:DataToBeDisplayed><mss:MSS_Format><mss:mssURI>http://uri.etsi.org/TS102204/v1.1.2#PKCS1</mss:mssURI></mss:MSS_Format><mss:SignatureProfile><mss:mssURI>http://mobile-id.vn/digitalSignature</mss:mssURI></mss:SignatureProfile>"#,
        header(world, trans_id)
    );
    let attributes = format!(r#" MessagingMode="{mode}" TimeOut="{timeout}""#);
    envelope("MSS_Signature", "MSS_Signature", &attributes, &inner)
}

/// Posts; the body with the HTTP status on its last line, and whether there was an answer at all.
fn post(world: &Fixture, operation: &str, xml: &str) -> (String, bool) {
    let ready = &world.ready;
    run(
        "curl",
        &[
            "-sS",
            "--cacert",
            &ready.mssp_ca_pem,
            "--cert",
            &ready.ap_cert_pem,
            "--key",
            &ready.ap_key_pem,
            "-H",
            "content-type: application/soap+xml; charset=utf-8",
            "--data-binary",
            xml,
            "-w",
            "\n%{http_code}",
            &format!("{}{operation}Port", ready.mssp_url),
        ],
    )
}

fn sign(world: &Fixture, msisdn: &str) -> (String, bool) {
    post(world, "MSS_Signature", &wish(world, msisdn, &fresh(), "asynchClientServer", 300))
}

fn poll(world: &Fixture, id: &str) -> (String, bool) {
    let inner = header(world, &fresh());
    post(
        world,
        "MSS_StatusQuery",
        &envelope("MSS_StatusQuery", "MSS_Status", &format!(r#" MSSP_TransID="{id}""#), &inner),
    )
}

/// Polls until the status is no longer 504.
fn outcome(world: &Fixture, id: &str) -> (String, bool) {
    for _ in 0..100 {
        let (text, ok) = poll(world, id);
        if !text.contains(r#"Value="504""#) {
            return (text, ok);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("still outstanding");
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(inner, _)| inner)
}

fn transaction(text: &str) -> &str {
    between(text, "MSSP_TransID=\"", "\"")
}

fn decoded(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// OpenSSL's opinion of an RSA signature over `abc` under a certificate file.
fn verifies(world: &Fixture, certificate: &str, signature: &[u8]) -> bool {
    let [key, value, data] = ["key.pem", "signature.bin", "abc.txt"].map(|name| world.path(name));
    std::fs::write(&data, "abc").unwrap();
    std::fs::write(&value, signature).unwrap();
    std::fs::write(&key, must("openssl", &["x509", "-in", certificate, "-noout", "-pubkey"])).unwrap();
    run("openssl", &["dgst", "-sha256", "-verify", &key, "-signature", &value, &data]).1
}

fn log(world: &Fixture) -> Vec<Value> {
    serde_json::from_str(&world.control("/mssp/log", "")).unwrap()
}

#[test]
fn a_leader_signs_and_the_log_shows_one_request() {
    let world = Fixture::start();
    let leader = world.ready.sims[0].clone();
    let (ack, _) = sign(&world, &leader.msisdn);
    assert!(ack.contains(r#"<mss:StatusCode Value="100"/>"#) && ack.ends_with("200"), "{ack}");
    let (text, _) = outcome(&world, transaction(&ack));
    assert!(text.contains(r#"<mss:StatusCode Value="502"/>"#) && text.contains(&leader.msisdn), "{text}");
    let signature = decoded(between(&text, "<mss:Base64Signature>", "<"));
    assert_eq!(signature.len(), 256);
    assert!(verifies(&world, &leader.certificate_pem, &signature));

    let log = log(&world);
    let signatures: Vec<_> = log.iter().filter(|entry| entry["operation"] == "MSS_Signature").collect();
    assert_eq!(signatures.len(), 1);
    assert_eq!(signatures[0]["displayed"], "Ky so VB 123/QD-UBND. Ma 5933");
    assert_eq!(signatures[0]["code"], "5933");
    // A later question gets the same answer.
    assert_eq!(
        between(&poll(&world, transaction(&ack)).0, "<mss:Base64Signature>", "<"),
        between(&text, "<mss:Base64Signature>", "<")
    );
}

#[test]
fn an_elliptic_sim_answers_r_and_s() {
    let world = Fixture::start();
    let leader = &world.ready.sims[2];
    let (text, _) = post(&world, "MSS_Signature", &wish(&world, &leader.msisdn, &fresh(), "synch", 60));
    assert!(text.contains(r#"Value="502""#), "{text}");
    assert_eq!(decoded(between(&text, "<mss:Base64Signature>", "<")).len(), 64);
}

#[test]
fn registration_hands_out_the_certificate() {
    let world = Fixture::start();
    let leader = &world.ready.sims[0];
    let inner = format!(
        "{}<mss:MobileUser><mss:MSISDN>{}</mss:MSISDN></mss:MobileUser>",
        header(&world, &fresh()),
        leader.msisdn
    );
    let ask =
        || post(&world, "MSS_Registration", &envelope("MSS_Registration", "MSS_Registration", "", &inner)).0;
    let text = ask();
    assert!(text.contains(r#"Value="408""#), "{text}");
    let pem = std::fs::read_to_string(&leader.certificate_pem).unwrap();
    let flat: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
    assert_eq!(between(&text, "<mss:X509Certificate>", "<"), flat);
    world.control(&format!("/sims/{}/swap", leader.msisdn), "{}");
    assert_ne!(between(&ask(), "<mss:X509Certificate>", "<"), flat);
}

#[test]
fn receipts_and_profiles_are_answered() {
    let world = Fixture::start();
    let number = &world.ready.sims[0].msisdn;
    let user = format!("<mss:MobileUser><mss:MSISDN>{number}</mss:MSISDN></mss:MobileUser>");
    let id = transaction(&sign(&world, number).0).to_owned();
    let message = r#"<mss:Message MimeType="text/plain" Encoding="UTF-8">Da ky VB 123</mss:Message>"#;
    let receipt = |id: &str| {
        let inner = format!("{}{user}{message}", header(&world, &fresh()));
        let xml = envelope("MSS_Receipt", "MSS_Receipt", &format!(r#" MSSP_TransID="{id}""#), &inner);
        post(&world, "MSS_Receipt", &xml).0
    };
    assert!(receipt(&id).contains(r#"Value="100""#));
    assert!(receipt("x0").contains("There is no such transaction."));
    assert!(log(&world).iter().any(|entry| entry["displayed"] == "Da ky VB 123"));

    let inner = format!("{}{user}", header(&world, &fresh()));
    let (text, _) =
        post(&world, "MSS_ProfileQuery", &envelope("MSS_ProfileQuery", "MSS_Profile", "", &inner));
    assert!(text.contains("http://mobile-id.vn/digitalSignature"), "{text}");
}

#[test]
fn without_the_client_certificate_nothing_is_heard() {
    let world = Fixture::start();
    let ready = &world.ready;
    let url = format!("{}MSS_SignaturePort", ready.mssp_url);
    assert!(!run("curl", &["-sS", "--cacert", &ready.mssp_ca_pem, "-d", "x", &url]).1);
    // A certificate of the right shape from another CA is no better.
    let other = &ready.fixtures[0];
    let arguments = [
        "-sS",
        "--cacert",
        &ready.mssp_ca_pem,
        "--cert",
        &other.certificate_pem,
        "--key",
        &other.key_p8,
        "-d",
        "x",
        &url,
    ];
    assert!(!run("curl", &arguments).1);
    assert!(log(&world).is_empty());
}

#[test]
fn the_profile_is_read_strictly() {
    let world = Fixture::start();
    let number = &world.ready.sims[0].msisdn;
    let good = wish(&world, number, "T0GOOD", "asynchClientServer", 300);
    let swapped = {
        let format = format!(
            "<mss:MSS_Format>{}</mss:MSS_Format>",
            between(&good, "<mss:MSS_Format>", "</mss:MSS_Format>")
        );
        good.replace(&format, "").replace("</MSS_SignatureReq>", &format!("{format}</MSS_SignatureReq>"))
    };
    let display = between(&good, "<mss:DataToBeDisplayed", "</mss:DataToBeDisplayed>");
    let turned = {
        let data = between(&good, "<mss:DataToBeSigned", "</mss:DataToBeSigned>");
        let data = format!("<mss:DataToBeSigned{data}</mss:DataToBeSigned>");
        good.replace(&data, "").replace("<mss:MSS_Format>", &format!("{data}<mss:MSS_Format>"))
    };
    let cases = [
        (swapped, "mss:_101"),
        (turned, "element &apos;DataToBeDisplayed"),
        (
            good.replace("<w:MSS_Signature", "<MSS_Signature")
                .replace("</w:MSS_Signature", "</MSS_Signature"),
            "Cannot find dispatch method for {}MSS_Signature",
        ),
        (good.replace("AP_PWD=\"", "AP_PWD=\"x"), "mss:_104"),
        (good.replace("T0GOOD", "0DIGITFIRST"), "mss:_101"),
        (good.replace("MajorVersion=\"1\"", "MajorVersion=\"2\""), "mss:_108"),
        (good.replace("asynchClientServer", "asynchServerServer"), "mss:_1013"),
        (good.replace(DIGEST_ABC, "AAAA"), "mss:_107"),
        (good.replace(&format!("<mss:DataToBeDisplayed{display}</mss:DataToBeDisplayed>"), ""), "mss:_1021"),
        (good.replace("Ky so", &"Ky so ".repeat(20)), "mss:_103"),
        (good.replace("Ky so", "Ký số văn bản của Ủy ban nhân dân phường"), "mss:_103"),
        (good.replace(number.as_str(), "+84900000001"), "mss:_1051"),
        (good.replace(number.as_str(), "84999999999"), "mss:_1052"),
        (good.replace("#PKCS1", "#PKCS7"), "mss:_1017"),
        (good.replace("<env:Body>", "<!DOCTYPE a><env:Body>"), "not well-formed"),
    ];
    for (xml, complaint) in cases {
        let (text, _) = post(&world, "MSS_Signature", &xml);
        assert!(text.contains(complaint) && text.ends_with("500"), "{complaint}: {text}");
    }
    assert!(log(&world).iter().all(|entry| entry["outcome"] == "fault"), "nothing may have raised a prompt");
    assert!(post(&world, "MSS_Signature", &good).0.contains(r#"Value="100""#));
    let (again, _) = post(&world, "MSS_Signature", &good);
    assert!(again.contains("mss:_101") && again.contains("AP_TransID was used before"), "{again}");
    assert!(poll(&world, "x0").0.contains("There is no such transaction."));
}

#[test]
fn a_second_request_is_busy_and_buttons_decide() {
    let world = Fixture::start_with(|options| options.accept_after_ms = None);
    let number = &world.ready.sims[1].msisdn;
    let (first, _) = sign(&world, number);
    assert!(sign(&world, number).0.contains("mss:_406"));
    let sims: Vec<Value> = serde_json::from_str(&world.control("/sims", "")).unwrap();
    let sim = sims.iter().find(|sim| sim["msisdn"] == number.as_str()).unwrap();
    assert_eq!(sim["prompt"]["text"], "Ky so VB 123/QD-UBND. Ma 5933");
    assert!(poll(&world, transaction(&first)).0.contains(r#"Value="504""#));
    world.control(&format!("/sims/{number}/decline"), "{}");
    assert!(poll(&world, transaction(&first)).0.contains("mss:_401"));
    let (second, _) = sign(&world, number);
    world.control(&format!("/sims/{number}/accept"), "{}");
    assert!(poll(&world, transaction(&second)).0.contains(r#"Value="502""#));
}

#[test]
fn every_magic_number_ends_as_its_name_says() {
    let world = Fixture::start();
    for sim in world.ready.magic.iter().filter(|sim| sim.outcome.starts_with("code_")) {
        let code = sim.outcome.trim_start_matches("code_");
        let (ack, _) = sign(&world, &sim.msisdn);
        let seen = match code {
            "504" => poll(&world, transaction(&ack)).0,
            _ if transaction(&ack).is_empty() => ack,
            _ => outcome(&world, transaction(&ack)).0,
        };
        assert!(
            seen.contains(&format!("mss:_{code}")) || seen.contains(&format!(r#"Value="{code}""#)),
            "{code}: {seen}"
        );
    }
}

#[test]
fn faults_on_the_wire() {
    let world = Fixture::start();
    let leader = world.ready.sims[0].clone();
    let number = &leader.msisdn;
    let once = |name: &str| {
        world
            .control(&format!("/sims/{number}/behaviour"), &format!(r#"{{"behaviour":"{name}","times":1}}"#));
        sign(&world, number)
    };
    let finish = |ack: &str| outcome(&world, transaction(ack)).0;

    let (text, ok) = once("drop_ack");
    assert!(!ok && text.contains("Empty reply"), "{text}");
    let dropped = log(&world);
    let last = dropped.last().unwrap();
    assert_eq!((last["outcome"].as_str(), last["http"].as_u64()), (Some("dropped"), Some(0)));
    assert!(
        outcome(&world, last["mssp_trans_id"].as_str().unwrap()).0.contains(r#"Value="502""#),
        "the prompt lived on"
    );

    let (ack, _) = once("drop_final");
    std::thread::sleep(std::time::Duration::from_millis(40));
    assert!(!poll(&world, transaction(&ack)).1);
    assert!(poll(&world, transaction(&ack)).0.contains(r#"Value="502""#));

    let (ack, _) = once("duplicate_reply");
    assert!(ack.contains("Base64Signature") && finish(&ack).contains("Base64Signature"));
    assert_eq!(finish(&once("duplicate_element").0).matches("<mss:Base64Signature>").count(), 2);
    for name in ["wrong_hash", "wrong_key"] {
        let signature = decoded(between(&finish(&once(name).0), "<mss:Base64Signature>", "<"));
        assert!(!verifies(&world, &leader.certificate_pem, &signature), "{name}");
    }
    assert!(!once("wrong_number_echo").0.contains(number.as_str()));
    std::thread::sleep(std::time::Duration::from_millis(40));
    assert!(once("wrong_transaction_echo").0.contains("T0SOMEBODYELSES"));
    std::thread::sleep(std::time::Duration::from_millis(40));
    assert!(!finish(&once("no_signature").0).contains("Base64Signature"));
    assert!(finish(&once("bad_base64").0).contains("not base64"));
    assert!(once("error_page").0.contains("Bad Gateway"));
    assert_eq!(once("empty_500").0, "\n500");
    let (half, _) = once("truncated_ack");
    assert!(half.contains("<mss:AP_Info") && !half.contains("</env:Envelope>"), "{half}");
    std::thread::sleep(std::time::Duration::from_millis(40));
    assert!(sign(&world, number).0.contains(r#"Value="100""#), "a behaviour set once wears off");
}

#[test]
fn a_late_signature_arrives_after_the_time_out() {
    let world = Fixture::start();
    let number = &world.ready.sims[0].msisdn;
    world.control(&format!("/sims/{number}/behaviour"), r#"{"behaviour":"late_signature","times":1}"#);
    let (ack, _) = post(&world, "MSS_Signature", &wish(&world, number, &fresh(), "asynchClientServer", 60));
    world.control("/clock", r#"{"offset_seconds":60.5}"#);
    let late = |text: (String, bool)| text.0;
    assert!(late(poll(&world, transaction(&ack))).contains(r#"Value="504""#));
    world.control("/clock", r#"{"offset_seconds":62}"#);
    assert!(late(poll(&world, transaction(&ack))).contains(r#"Value="502""#));
}
