//! One suite for every provider of signature checks: what `openssl` signs holds, and nothing else does.

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use pki::{Kind, Pki, providers};
use trinhky_pades::crypto::HashAlgorithm::{Sha1, Sha256, Sha384, Sha512};
use trinhky_pades::crypto::{CryptoError, PublicKey, SignatureAlgorithm as Algorithm, Weakness, weaknesses};

const CASES: &[(&str, Kind, Algorithm, &str, &[&str])] = &[
    ("rsa2048", Kind::Rsa(2048), Algorithm::RsaPkcs1(Sha256), "-sha256", &[]),
    ("rsa2048", Kind::Rsa(2048), Algorithm::RsaPkcs1(Sha1), "-sha1", &[]),
    ("rsa3072", Kind::Rsa(3072), Algorithm::RsaPkcs1(Sha384), "-sha384", &[]),
    ("rsa4096", Kind::Rsa(4096), Algorithm::RsaPkcs1(Sha512), "-sha512", &[]),
    ("rsa1024", Kind::Rsa(1024), Algorithm::RsaPkcs1(Sha256), "-sha256", &[]),
    ("rsa1024", Kind::Rsa(1024), Algorithm::RsaPkcs1(Sha384), "-sha384", &[]),
    ("rsa2048", Kind::Rsa(2048), pss(Sha256, 32), "-sha256", &["rsa_padding_mode:pss", "rsa_pss_saltlen:32"]),
    ("rsa3072", Kind::Rsa(3072), pss(Sha512, 64), "-sha512", &["rsa_padding_mode:pss", "rsa_pss_saltlen:64"]),
    ("rsa2048", Kind::Rsa(2048), pss(Sha256, 20), "-sha256", &["rsa_padding_mode:pss", "rsa_pss_saltlen:20"]),
    ("p256", Kind::P256, Algorithm::Ecdsa(Sha256), "-sha256", &[]),
    ("p256", Kind::P256, Algorithm::Ecdsa(Sha512), "-sha512", &[]),
    ("p384", Kind::P384, Algorithm::Ecdsa(Sha384), "-sha384", &[]),
    ("p384", Kind::P384, Algorithm::Ecdsa(Sha256), "-sha256", &[]),
    ("p384", Kind::P384, Algorithm::Ecdsa(Sha1), "-sha1", &[]),
    ("p521", Kind::P521, Algorithm::Ecdsa(Sha512), "-sha512", &[]),
    ("p521", Kind::P521, Algorithm::Ecdsa(Sha384), "-sha384", &[]),
    ("p521", Kind::P521, Algorithm::Ecdsa(Sha256), "-sha256", &[]),
    ("p521", Kind::P521, Algorithm::Ecdsa(Sha1), "-sha1", &[]),
    ("ed25519", Kind::Ed25519, Algorithm::Ed25519, "-rawin", &[]),
];

const fn pss(hash: trinhky_pades::crypto::HashAlgorithm, salt_length: u16) -> Algorithm {
    Algorithm::RsaPss { hash, salt_length }
}

#[test]
fn what_openssl_signs_holds_and_nothing_else() {
    let pki = Pki::new();
    for (name, kind, algorithm, hash, options) in CASES {
        if !pki.path(&format!("{name}.pem")).exists() {
            pki.signer(name, *kind);
        }
        let (spki, message) = (pki.spki(name), b"quy\xe1\xba\xbft \xc4\x91\xe1\xbb\x8bnh".as_slice());
        let value = pki.sign(name, hash, options, message);
        for provider in providers() {
            let told = format!("{} {name} {algorithm:?}", provider.name());
            let verify = |message: &[u8], value: &[u8]| provider.verify(*algorithm, &spki, message, value);
            assert_eq!(verify(message, &value), Ok(()), "{told}");
            assert_eq!(verify(b"khac", &value), Err(CryptoError::BadSignature), "{told}");
            for at in [0, value.len() / 2, value.len() - 1] {
                let mut changed = value.clone();
                changed[at] ^= 1;
                assert_eq!(verify(message, &changed), Err(CryptoError::BadSignature), "{told}, byte {at}");
            }
            assert_eq!(verify(message, &value[1..]), Err(CryptoError::BadSignature), "{told}, shortened");
            let longer = [value.as_slice(), &[0]].concat();
            assert_eq!(verify(message, &longer), Err(CryptoError::BadSignature), "{told}, lengthened");
            let padded = [&[0], value.as_slice()].concat();
            assert_eq!(verify(message, &padded), Err(CryptoError::BadSignature), "{told}, padded");
            assert_eq!(verify(message, &[]), Err(CryptoError::BadSignature), "{told}, empty");
        }
    }
}

/// RFC 8032 7.1: public key, message, value.
const ED25519: &[(&str, &str, &str)] = &[
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
         d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
         387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659\
         4a7c15e9716ed28dc027beceea1ec40a",
    ),
    // The message is SHA-512 of "abc".
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
         454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030\
         3dca179c138ac17ad9bef1177331a704",
    ),
];

#[test]
fn ed25519_is_that_of_its_standard() {
    for (key, message, value) in ED25519 {
        let (spki, message, value) = (ed25519_spki(&unhex(key)), unhex(message), unhex(value));
        for provider in providers() {
            let verify =
                |message: &[u8], value: &[u8]| provider.verify(Algorithm::Ed25519, &spki, message, value);
            assert_eq!(verify(&message, &value), Ok(()), "{} {key}", provider.name());
            // The digest in place of the message, as a caller who hashes first would have it.
            for hash in [Sha256, Sha512] {
                let hashed = verify(&hash.digest(&message), &value);
                assert_eq!(hashed, Err(CryptoError::BadSignature), "{} {key}", provider.name());
            }
            for at in 0..value.len() {
                let mut changed = value.clone();
                changed[at] ^= 0x10;
                assert_eq!(verify(&message, &changed), Err(CryptoError::BadSignature), "byte {at}");
            }
            for wrong in [&value[..63], &value[..32], &[value.as_slice(), &[0]].concat(), &[]] {
                assert_eq!(verify(&message, wrong), Err(CryptoError::BadSignature), "{}", wrong.len());
            }
        }
    }
}

/// What lax verifiers take: another S for the same signature, points of small order, points encoded in a second way.
#[test]
fn ed25519_is_strict() {
    let (key, message, value) = (unhex(ED25519[1].0), unhex(ED25519[1].1), unhex(ED25519[1].2));
    let mut second_s = value.clone();
    let mut carry = 0;
    for (octet, more) in second_s[32..].iter_mut().zip(unhex(ORDER)) {
        let sum = u16::from(*octet) + u16::from(more) + carry;
        (*octet, carry) = (u8::try_from(sum & 0xff).unwrap(), sum >> 8);
    }
    // S = k·a, so that [S]B = [k]A + R with the R of order 1; openssl takes it for a signature of the first key over 72.
    let small_r = unhex(
        "010000000000000000000000000000000000000000000000000000000000000058c417b3a2665269f2291931ff74de31\
         9dd45e06323cb6c4dac010d5cd521501",
    );
    let first = unhex(ED25519[0].0);
    // With the key of order 1 as well, R = 1 and S = 0 fit every message.
    let one = [&[1][..], &[0; 31]].concat();
    let of_nobody = [one.as_slice(), &[0; 32]].concat();
    let mut negative_one = one.clone();
    negative_one[31] = 0x80;
    // y = p + 1 is 1 again.
    let second_one = [&[0xee][..], &[0xff; 30], &[0x7f]].concat();
    for provider in providers() {
        let name = provider.name();
        let verify = |key: &[u8], message: &[u8], value: &[u8]| {
            provider.verify_ed25519(key.try_into().unwrap(), message, value)
        };
        assert_eq!(verify(&key, &message, &value), Ok(()), "{name}");
        assert_eq!(verify(&key, &message, &second_s), Err(CryptoError::BadSignature), "{name}: S + L");
        assert_eq!(verify(&first, &message, &small_r), Err(CryptoError::BadSignature), "{name}: small R");
        for weak in [&one, &negative_one, &second_one] {
            assert_eq!(verify(weak, &message, &of_nobody), Err(CryptoError::BadSignature), "{name}");
            let spki = ed25519_spki(weak);
            let told = provider.verify(Algorithm::Ed25519, &spki, &message, &of_nobody);
            assert_eq!(told, Err(CryptoError::BadKey), "{name}");
        }
        // No point of the curve has this y.
        let none = [&[2][..], &[0; 31]].concat();
        assert_eq!(verify(&none, &message, &value), Err(CryptoError::BadSignature), "{name}");
    }
}

/// RFC 8032 7.3: the value that `Ed25519ph` gives for "abc".
#[test]
fn ed25519ph_is_another_algorithm() {
    let spki = ed25519_spki(&unhex(ED25519[3].0));
    let value = unhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aa\
         a10b8c61e636062aaad11c2a26083406",
    );
    for provider in providers() {
        for message in [b"abc".to_vec(), Sha512.digest(b"abc")] {
            let told = provider.verify(Algorithm::Ed25519, &spki, &message, &value);
            assert_eq!(told, Err(CryptoError::BadSignature), "{}", provider.name());
        }
    }
}

#[test]
fn ed25519_has_no_digest_to_check() {
    let (spki, message, value) =
        (ed25519_spki(&unhex(ED25519[1].0)), unhex(ED25519[1].1), unhex(ED25519[1].2));
    let key = PublicKey::from_spki(&spki).unwrap();
    for provider in providers() {
        for digest in [message.clone(), Sha512.digest(&message)] {
            let told = provider.verify_digest(Algorithm::Ed25519, &key, &digest, &value);
            assert_eq!(told, Err(CryptoError::NeedsMessage), "{}", provider.name());
        }
        let told = provider.verify_digest(Algorithm::Ecdsa(Sha512), &key, &Sha512.digest(&message), &value);
        assert_eq!(told, Err(CryptoError::WrongKey), "{}", provider.name());
        assert_eq!(provider.verify_message(Algorithm::Ed25519, &key, &message, &value), Ok(()));
    }
    assert_eq!(Algorithm::Ed25519.hash(), None);
    assert_eq!(weaknesses(Algorithm::Ed25519, &key), []);
}

/// RFC 8410 3: no parameters, not even NULL; and Ed448 is not read at all.
#[test]
fn ed25519_is_named_in_one_way() {
    let id = |last: u8| [0x06, 3, 0x2b, 0x65, last];
    let named = |content: &[u8]| {
        Algorithm::from_der(&[&[0x30, u8::try_from(content.len()).unwrap()], content].concat())
    };
    assert_eq!(named(&id(0x70)), Ok(Algorithm::Ed25519));
    let with_null = [&id(0x70)[..], &[5, 0]].concat();
    assert_eq!(named(&with_null), Err(CryptoError::Unsupported));
    assert_eq!(named(&id(0x71)), Err(CryptoError::Unsupported));

    let spki = |algorithm: &[u8], key: &[u8]| {
        let tlv = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
        tlv(0x30, &[tlv(0x30, algorithm), tlv(0x03, &[&[0], key].concat())].concat())
    };
    let key = unhex(ED25519[0].0);
    let read = |spki: Vec<u8>| PublicKey::from_spki(&spki).map(|key| key.may_sign());
    assert_eq!(spki(&id(0x70), &key), ed25519_spki(&key));
    assert_eq!(read(spki(&id(0x70), &key)), Ok(false));
    assert_eq!(read(spki(&with_null, &key)), Err(CryptoError::Unsupported));
    assert_eq!(read(spki(&id(0x71), &[7; 57])), Err(CryptoError::Unsupported));
    for wrong in [&key[..31], &[key.as_slice(), &[0]].concat(), &[]] {
        assert_eq!(read(spki(&id(0x70), wrong)), Err(CryptoError::BadKey), "{}", wrong.len());
    }
}

/// The order of the group, little-endian (RFC 8032 5.1).
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// RFC 8410 4.
fn ed25519_spki(key: &[u8]) -> Vec<u8> {
    [&unhex("302a300506032b6570032100"), key].concat()
}

fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let octet = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(|pair| octet(pair).expect("two digits")).collect()
}

#[test]
fn new_signatures_are_made_with_some_kinds_of_key_only() {
    let pki = Pki::new();
    let kinds = [
        ("rsa", Kind::Rsa(2048), true),
        ("p256", Kind::P256, true),
        ("p384", Kind::P384, true),
        ("p521", Kind::P521, false),
        ("ed25519", Kind::Ed25519, false),
    ];
    for (name, kind, may_sign) in kinds {
        pki.signer(name, kind);
        assert_eq!(PublicKey::from_spki(&pki.spki(name)).unwrap().may_sign(), may_sign, "{name}");
    }
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_told() {
    let pki = Pki::new();
    pki.signer("curve", Kind::P256);
    let value = pki.sign("curve", "-sha256", &[], b"m");
    for provider in providers() {
        let rsa = provider.verify(Algorithm::RsaPkcs1(Sha256), &pki.spki("curve"), b"m", &value);
        assert_eq!(rsa, Err(CryptoError::WrongKey));
        let curve = provider.verify(Algorithm::Ecdsa(Sha256), &pki.spki("ca"), b"m", &value);
        assert_eq!(curve, Err(CryptoError::WrongKey));
        for other in ["ca", "curve"] {
            let edwards = provider.verify(Algorithm::Ed25519, &pki.spki(other), b"m", &[7; 64]);
            assert_eq!(edwards, Err(CryptoError::WrongKey));
        }
        let nothing = provider.verify(Algorithm::Ecdsa(Sha256), b"junk", b"m", &value);
        assert_eq!(nothing, Err(CryptoError::BadKey));
    }
}

#[test]
fn old_strength_is_reported() {
    let pki = Pki::new();
    pki.signer("short", Kind::Rsa(1024));
    let spki = pki.spki("short");
    let key = PublicKey::from_spki(&spki).unwrap();
    let found = weaknesses(Algorithm::RsaPkcs1(Sha1), &key);
    assert_eq!(found, [Weakness::Hash(Sha1), Weakness::RsaBits(1024)]);
    let spki = pki.spki("ca");
    assert_eq!(weaknesses(Algorithm::RsaPkcs1(Sha256), &PublicKey::from_spki(&spki).unwrap()), []);
}
