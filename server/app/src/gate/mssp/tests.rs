//! The client against a TLS server that misbehaves in one chosen way.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;
use time::macros::datetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use trinhky_simpki::reply::{Code, Unreadable, WhyUnreadable};
use trinhky_simpki::request::StatusQuery;

use super::*;

const NOW: OffsetDateTime = datetime!(2025-03-05 08:00 UTC);

/// What the server does once a request has been read.
#[derive(Clone, Copy)]
enum Then {
    Answer(&'static str),
    HangUp,
    Redirect,
    Flood,
}

struct Rig {
    folder: TempDir,
    settings: config::Gate,
    requests: Arc<AtomicUsize>,
}

/// A CA, a certificate of ours, and a server on a free port that wants to see it.
async fn rig(then: Then) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
        (certificate, key)
    };
    let put = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (own, own_key) = issue("ap");
    let (server, server_key) = issue("localhost");

    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![server.der().clone()],
            PrivateKeyDer::try_from(server_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(tls)), then, requests.clone()));

    let settings = config::Gate {
        mssp_url: format!("https://localhost:{}/soap/services", address.port()),
        mssp_ca: put("ca.pem", &ca.pem()),
        ap_cert: put("ap.pem", &own.pem()),
        ap_key: put("ap.key", &own_key.serialize_pem()),
        ap_id: "http://ap.mobile-id.vn/NAME".to_owned(),
        ap_password_file: put("password", "geheim\n"),
        journal: folder.path().join("journal"),
        roots: Vec::new(),
        timeout_seconds: 5,
        poll_milliseconds: 200,
        dialog_seconds: 180,
        grace_seconds: 30,
        send_window_seconds: 120,
        lease_milliseconds: 5_000,
    };
    Rig { folder, settings, requests }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, then: Then, requests: Arc<AtomicUsize>) {
    while let Ok((socket, _)) = listener.accept().await {
        let Ok(mut stream) = acceptor.accept(socket).await else { continue };
        let mut request = String::new();
        let mut buffer = [0u8; 8192];
        while !request.ends_with("</env:Envelope>") {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(read) => request.push_str(&String::from_utf8_lossy(&buffer[..read])),
            }
        }
        requests.fetch_add(1, Ordering::SeqCst);
        let head = |status: &str, length: usize, more: &str| {
            format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}\r\n")
        };
        match then {
            Then::Answer(body) => {
                let _ =
                    stream.write_all(format!("{}{body}", head("500 Oops", body.len(), "")).as_bytes()).await;
            }
            Then::Redirect => {
                let there = "location: https://localhost:1/elsewhere\r\n";
                let _ = stream.write_all(head("307 Elsewhere", 0, there).as_bytes()).await;
            }
            Then::Flood => {
                let _ = stream.write_all(head("200 OK", usize::MAX >> 1, "").as_bytes()).await;
                while stream.write_all(&[b' '; 8192]).await.is_ok() {}
            }
            Then::HangUp => {}
        }
        let _ = stream.shutdown().await;
    }
}

fn query() -> Request {
    Request::Status(StatusQuery { ap_trans_id: "T1".parse().unwrap(), mssp_trans_id: "x1".parse().unwrap() })
}

#[tokio::test]
async fn an_answer_is_read_whatever_the_http_status() {
    let fault = "<Envelope><Body><Fault><Code><Value>env:Receiver</Value><Subcode><Value>_208</Value></Subcode></Code></Fault></Body></Envelope>";
    let rig = rig(Then::Answer(fault)).await;
    let reply = Mssp::open(&rig.settings).unwrap().ask(&query(), NOW).await.unwrap();
    assert!(matches!(reply, Reply::Fault(fault) if fault.code == Some(Code::plain(208))));
}

#[tokio::test]
async fn hanging_up_after_the_request_is_after_send_and_nothing_is_sent_again() {
    let rig = rig(Then::HangUp).await;
    let lost = Mssp::open(&rig.settings).unwrap().ask(&query(), NOW).await.unwrap_err();
    assert_eq!(lost.at, FailedAt::AfterSend, "{lost}");
    assert_eq!(rig.requests.load(Ordering::SeqCst), 1);
    assert!(!lost.to_string().contains("geheim"));
}

#[tokio::test]
async fn redirects_are_not_followed_and_floods_are_cut() {
    let elsewhere = rig(Then::Redirect).await;
    let reply = Mssp::open(&elsewhere.settings).unwrap().ask(&query(), NOW).await.unwrap();
    assert_eq!(reply, Reply::Unreadable(Unreadable { http_status: 307, why: WhyUnreadable::Empty }));

    let flood = rig(Then::Flood).await;
    let reply = Mssp::open(&flood.settings).unwrap().ask(&query(), NOW).await.unwrap();
    assert_eq!(reply, Reply::Unreadable(Unreadable { http_status: 200, why: WhyUnreadable::TooLarge }));
}

#[tokio::test]
async fn no_listener_and_a_stranger_on_the_port_are_before_tls() {
    let mut nobody = rig(Then::HangUp).await;
    nobody.settings.mssp_url = "https://localhost:1/".to_owned();
    let lost = Mssp::open(&nobody.settings).unwrap().ask(&query(), NOW).await.unwrap_err();
    assert_eq!(lost.at, FailedAt::BeforeTls, "{lost}");

    let (ours, theirs) = (rig(Then::HangUp).await, rig(Then::HangUp).await);
    let settings = config::Gate { mssp_url: theirs.settings.mssp_url.clone(), ..ours.settings.clone() };
    let lost = Mssp::open(&settings).unwrap().ask(&query(), NOW).await.unwrap_err();
    assert_eq!(lost.at, FailedAt::BeforeTls, "{lost}");
    assert_eq!(theirs.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let rig = rig(Then::HangUp).await;
    let why = |change: &dyn Fn(&mut config::Gate)| {
        let mut settings = rig.settings.clone();
        change(&mut settings);
        format!("{:#}", Mssp::open(&settings).unwrap_err())
    };
    let plain = why(&|s| s.mssp_url = s.mssp_url.replace("https", "http"));
    assert!(plain.contains("https only"), "{plain}");
    let absent = why(&|s| s.ap_key = rig.folder.path().join("absent"));
    assert!(absent.contains("gate.ap_key"), "{absent}");
    let empty = why(&|s| s.mssp_ca = s.ap_password_file.clone());
    assert!(empty.contains("gate.mssp_ca"), "{empty}");
}
