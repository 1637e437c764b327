use super::*;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use ece::crypto::EcKeyComponents;
use std::sync::Mutex;
use time::macros::datetime;

const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgw+7c34TOKpjHvVQz
gHf463GON5zeeFroe/2pHVpD7dihRANCAAQ5ur+BY2O57uC4HhmPeacW+FITX5ZN
z9JagIxPoVyD4N+R62Bft5Ab+mE7BrPs/gJz/4Ce4MszM3r3eejKDKwY
-----END PRIVATE KEY-----
";

fn push(allow_private: bool, allow: &[&str]) -> Push {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vapid.pem");
    std::fs::write(&path, KEY).expect("written");
    Push::open(&config::Push {
        vapid_key: path,
        subject: "mailto:van-thu@example.gov.vn".into(),
        allow: allow.iter().map(|host| (*host).to_owned()).collect(),
        allow_private,
        timeout_seconds: 5,
    })
    .expect("opens")
}

fn to(endpoint: &str) -> Subscription {
    Subscription {
        endpoint: endpoint.into(),
        // RFC 8291 Appendix A.
        p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
            .into(),
        auth: "BTBZMqHH6r4Tts7J_aSIgg".into(),
    }
}

#[test]
fn the_vector_of_rfc_8291_decrypts() {
    cryptographer::install();
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let subscription = to("https://push.example/1");
    let private = decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94");
    let keys = EcKeyComponents::new(private, decode(&subscription.p256dh));
    let message = decode(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
    let opened = ece::decrypt(&keys, &decode(&subscription.auth), &message).expect("decrypts");
    assert_eq!(opened, b"When I grow up, I want to be a watermelon");
    let ours =
        ece::encrypt(&decode(&subscription.p256dh), &decode(&subscription.auth), b"x").expect("encrypts");
    assert_eq!(ece::decrypt(&keys, &decode(&subscription.auth), &ours).expect("decrypts"), b"x");
}

#[test]
fn endpoints_are_judged_by_their_parsed_host() {
    let push = push(false, &["push.example", "*.push.apple.com", "10.0.0.1"]);
    for endpoint in ["https://push.example/x", "https://web.push.apple.com/x", "https://PUSH.example/"] {
        assert_eq!(push.check(&to(endpoint)), Ok(()), "{endpoint}");
    }
    for endpoint in [
        "http://push.example/x",
        "https://push.example:8443/x",
        "https://u:p@push.example/x",
        "https://push.example.evil.example/x",
        "https://evil.example/push.example",
        "https://evilpush.apple.com.evil.example/",
        "https://xpush.apple.com/",
        "https://10.0.0.1/x",
        "https://[::1]/x",
        "ftp://push.example/",
        "nonsense",
    ] {
        assert!(push.check(&to(endpoint)).is_err(), "{endpoint}");
    }
    let short = Subscription { auth: "BTBZ".into(), ..to("https://push.example/x") };
    assert_eq!(push.check(&short), Err(BadSubscription::Keys));
}

#[test]
fn private_addresses_are_not_public() {
    for text in [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::",
        "224.0.0.1",
    ] {
        assert!(!is_public(text.parse().expect("an address")), "{text}");
    }
    for text in ["8.8.8.8", "203.162.4.191", "2606:4700::1111"] {
        assert!(is_public(text.parse().expect("an address")), "{text}");
    }
}

#[test]
fn answers_mean_what_rfc_8030_says() {
    let answer = |status: u16, retry: Option<&str>| {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry {
            headers.insert(header::RETRY_AFTER, text.parse().expect("a value"));
        }
        outcome(StatusCode::from_u16(status).expect("a status"), &headers)
    };
    assert_eq!(answer(201, None), Outcome::Handed);
    assert_eq!(answer(404, None), Outcome::Gone);
    assert_eq!(answer(410, None), Outcome::Gone);
    assert_eq!(answer(429, Some("7")), Outcome::Later(Duration::from_secs(7)));
    assert_eq!(answer(503, None), Outcome::Later(RETRY));
    assert_eq!(answer(503, Some("999999999")), Outcome::Later(LONGEST_RETRY));
    assert_eq!(answer(413, None), Outcome::Refused(413));
    assert_eq!(answer(307, None), Outcome::Refused(307), "redirects are not followed");
}

#[tokio::test]
async fn a_message_arrives_encrypted_and_signed() {
    type Seen = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;
    let seen = Seen::default();
    let kept = seen.clone();
    let service = Router::new().route(
        "/push/1",
        post(move |headers: HeaderMap, body: Bytes| async move {
            kept.lock().expect("not poisoned").push((headers, body));
            StatusCode::CREATED
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });
    let push = push(true, &["127.0.0.1"]);
    let message =
        Message { payload: b"{}", urgency: Urgency::High, ttl: Duration::from_mins(10), topic: "inbox" };
    let now = datetime!(2026-08-20 10:00 UTC);
    let outcome = push.send(&to(&format!("http://{address}/push/1")), &message, now).await;
    serving.abort();
    assert_eq!(outcome, Outcome::Handed);
    let seen = seen.lock().expect("not poisoned");
    let (headers, body) = &seen[0];
    assert_eq!(
        (&headers["urgency"], &headers["ttl"], &headers["topic"]),
        (&"high".parse().unwrap(), &"600".parse().unwrap(), &"inbox".parse().unwrap())
    );
    assert_eq!(headers["content-encoding"], "aes128gcm");
    assert!(!body.windows(2).any(|pair| pair == b"{}"));
    let authorization = headers["authorization"].to_str().expect("text");
    let token =
        authorization.strip_prefix("vapid t=").and_then(|rest| rest.split(',').next()).expect("a token");
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).expect("claims");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["aud"], format!("http://{address}"));
    assert_eq!(claims["exp"], (now + time::Duration::hours(12)).unix_timestamp());
}
