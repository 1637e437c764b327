//! The push service against a sender written from the RFCs: what it takes, what it refuses, what the phone gets.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod common;

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    encoding::{AsBigEndian, EcPublicKeyUncompressedBin},
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{Fixture, run};
use serde_json::{Value, json};

struct Sender {
    key: EcdsaKeyPair,
}

impl Sender {
    fn new() -> Self {
        Self { key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref())
    }

    fn authorization(&self, audience: &str, expires_in: i64) -> String {
        let now: i64 = common::must("date", &["+%s"]).trim().parse().unwrap();
        let claims =
            json!({ "aud": audience, "exp": now + expires_in, "sub": "mailto:quantri@muongthanh.example" });
        let signed = [json!({ "typ": "JWT", "alg": "ES256" }), claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("vapid t={signed}.{}, k={}", URL_SAFE_NO_PAD.encode(signature.as_ref()), self.public())
    }
}

/// HKDF's expand of at most one block, spelled out.
fn expand(secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::sign(&key, &[info, &[1]].concat()).as_ref()[..length].to_vec()
}

fn extract(salt: &[u8], input: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), input).as_ref().to_vec()
}

fn encrypt(subscription: &Value, text: &str) -> Vec<u8> {
    let field = |name: &str| URL_SAFE_NO_PAD.decode(subscription[name].as_str().unwrap()).unwrap();
    let (phone, auth, salt) = (field("p256dh"), field("auth"), [7u8; 16]);
    let own = PrivateKey::generate(&ECDH_P256).unwrap();
    let point: EcPublicKeyUncompressedBin<'_> = own.compute_public_key().unwrap().as_be_bytes().unwrap();
    let point = point.as_ref().to_vec();
    let shared =
        agree(&own, UnparsedPublicKey::new(&ECDH_P256, &phone), (), |shared| Ok(shared.to_vec())).unwrap();
    let info = [b"WebPush: info\0".as_slice(), &phone, &point].concat();
    let secret = extract(&salt, &expand(&extract(&auth, &shared), &info, 32));
    let key = expand(&secret, b"Content-Encoding: aes128gcm\0", 16);
    let nonce = expand(&secret, b"Content-Encoding: nonce\0", 12);
    let mut record = [text.as_bytes(), &[2]].concat();
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap())
        .seal_in_place_append_tag(
            Nonce::try_assume_unique_for_key(&nonce).unwrap(),
            Aad::empty(),
            &mut record,
        )
        .unwrap();
    [salt.as_slice(), &4096u32.to_be_bytes(), &[65], &point, &record].concat()
}

/// Status line and headers of a push.
fn push(world: &Fixture, endpoint: &str, authorization: &str, headers: &[&str], body: &[u8]) -> String {
    let file = world.path("body");
    std::fs::write(&file, body).unwrap();
    let authorization = format!("authorization: {authorization}");
    let data = format!("@{file}");
    let mut arguments = vec!["-sS", "-i", "-X", "POST", "--data-binary", &data, "-H", &authorization];
    arguments.extend(["-H", "content-encoding: aes128gcm", "-H", "content-type: application/octet-stream"]);
    for header in headers {
        arguments.extend(["-H", header]);
    }
    arguments.push(endpoint);
    run("curl", &arguments).0
}

fn origin(endpoint: &str) -> &str {
    endpoint.split_once("/push/").unwrap().0
}

#[test]
fn a_message_reaches_the_phone_and_a_topic_replaces_it() {
    let world = Fixture::start();
    let sender = Sender::new();
    let subscription: Value = serde_json::from_str(
        &world.control("/push/subscribe", &json!({ "application_server_key": sender.public() }).to_string()),
    )
    .unwrap();
    let endpoint = subscription["endpoint"].as_str().unwrap();
    let token = sender.authorization(origin(endpoint), 3600);
    let headers = ["ttl: 3600", "urgency: high", "topic: vb-1"];
    for text in ["{\"n\":1}", "{\"n\":2}"] {
        let answer = push(&world, endpoint, &token, &headers, &encrypt(&subscription, text));
        assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("location: "), "{answer}");
    }
    let messages: Vec<Value> = serde_json::from_str(&world.control("/push/messages", "")).unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!((&messages[1]["text"], &messages[1]["urgency"]), (&json!("{\"n\":2}"), &json!("high")));
    assert_eq!(messages[0]["dropped"], true);

    let collect = format!("/push/{}/collect", subscription["id"].as_str().unwrap());
    let waiting: Vec<Value> = serde_json::from_str(&world.control(&collect, "{}")).unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["text"], "{\"n\":2}");
    assert_eq!(world.control(&collect, "{}"), "[]");
}

#[test]
fn a_careless_sender_is_refused() {
    let world = Fixture::start();
    let sender = Sender::new();
    let subscription: Value = serde_json::from_str(&world.control("/push/subscribe", "{}")).unwrap();
    let endpoint = subscription["endpoint"].as_str().unwrap();
    let good = sender.authorization(origin(endpoint), 3600);
    let body = encrypt(&subscription, "x");
    assert!(push(&world, endpoint, &good, &["ttl: 60"], &body).starts_with("HTTP/1.1 201"));

    let portless = origin(endpoint).rsplit_once(':').unwrap().0;
    let cases: [(&str, String, &[&str], &[u8]); 8] = [
        ("401", sender.authorization(portless, 3600), &["ttl: 60"], &body),
        ("401", sender.authorization(origin(endpoint), 25 * 3600), &["ttl: 60"], &body),
        ("401", sender.authorization(origin(endpoint), -1), &["ttl: 60"], &body),
        ("401", good.replace("vapid t=eyJ", "vapid t=eyK"), &["ttl: 60"], &body),
        ("403", Sender::new().authorization(origin(endpoint), 3600), &["ttl: 60"], &body),
        ("400", good.clone(), &[], &body),
        ("400", good.clone(), &["ttl: 60", "topic: có dấu"], &body),
        ("413", good.clone(), &["ttl: 60"], &[0; 4097]),
    ];
    for (status, authorization, headers, body) in &cases {
        let answer = push(&world, endpoint, authorization, headers, body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {answer}");
    }
    let other = format!("{}/push/0000", origin(endpoint));
    assert!(push(&world, &other, &good, &["ttl: 60"], &body).starts_with("HTTP/1.1 404"));

    for (fault, expected) in [
        (json!("down"), "HTTP/1.1 503"),
        (json!({ "too_many": { "retry_after": 7 } }), "HTTP/1.1 429"),
        (json!("gone"), "HTTP/1.1 410"),
        (json!("too_large"), "HTTP/1.1 413"),
    ] {
        world.control("/fault", &json!({ "service": "push", "fault": fault, "times": 1 }).to_string());
        let answer = push(&world, endpoint, &good, &["ttl: 60"], &body);
        assert!(answer.starts_with(expected), "{fault}: {answer}");
        assert!(!expected.ends_with("429") || answer.contains("retry-after: 7"), "{answer}");
    }
    world.control(&format!("/push/{}/unsubscribe", subscription["id"].as_str().unwrap()), "{}");
    assert!(push(&world, endpoint, &good, &["ttl: 60"], &body).starts_with("HTTP/1.1 410"));
}
