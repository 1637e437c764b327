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
