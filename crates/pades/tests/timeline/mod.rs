//! A PKI whose clock the test holds: certificates of any validity, and OCSP answers, lists and time stamps of any date.
//! The keys and the signature values are by `openssl`; the structures are written here, by the standards alone.

#![allow(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

mod der;
pub(crate) mod life;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::process::Command;

use der::{bits, context, generalized, int, name, octets, oid, parts, seq, set, time as x509_time, tlv};
use sha2::Digest as _;
use time::OffsetDateTime;
use trinhky_pades::x509::{Certificate, TrustAnchors};

const ECDSA_SHA512: &str = "1.2.840.10045.4.3.4";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const ECDSA_SHA1: &str = "1.2.840.10045.4.1";
const ED25519: &str = "1.3.101.112";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA1: &str = "1.3.14.3.2.26";

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Authority,
    Signing,
    Stamping,
    Responding,
}

/// With what kind of key everybody signs, and the hash that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    P256,
    P521,
    Ed25519,
}

/// Keys in a folder; who issued what; who was revoked when.
pub(crate) struct Timeline {
    dir: tempfile::TempDir,
    keys: Keys,
    issued: RefCell<BTreeMap<String, Issued>>,
    revoked: RefCell<Vec<(String, OffsetDateTime)>>,
    serial: Cell<u64>,
    /// Whether stamps and attributes are made with SHA-1, as long ago.
    pub(crate) old_hash: Cell<bool>,
}

#[derive(Clone)]
struct Issued {
    der: Vec<u8>,
    issuer: String,
    serial: u64,
    key: Vec<u8>,
}

impl Timeline {
    /// A root `root` and an authority `ca` below it, each valid for the whole of `years`.
    pub(crate) fn new(keys: Keys, from: OffsetDateTime, to: OffsetDateTime) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (issued, revoked) = Default::default();
        let line = Self { dir, keys, issued, revoked, serial: Cell::new(100), old_hash: Cell::new(false) };
        line.issue("root", "root", Use::Authority, from, to);
        line.issue("ca", "root", Use::Authority, from, to);
        line
    }

    /// A certificate with a fresh key; for `rsa-…` with an RSA one, whose values are made elsewhere.
    pub(crate) fn issue(&self, who: &str, issuer: &str, what: Use, from: OffsetDateTime, to: OffsetDateTime) {
        let key = format!("{who}.key");
        if who.starts_with("rsa-") {
            self.run(&["genrsa", "-out", &key, "2048"]);
        } else {
            let curve = |name| self.run(&["ecparam", "-name", name, "-genkey", "-noout", "-out", &key]);
            match self.keys {
                Keys::P256 => curve("prime256v1"),
                Keys::P521 => curve("secp521r1"),
                Keys::Ed25519 => self.run(&["genpkey", "-algorithm", "ed25519", "-out", &key]),
            };
        }
        let spki = self.run(&["pkey", "-in", &key, "-pubout", "-outform", "DER"]);
        let serial = self.serial.get();
        self.serial.set(serial + 1);
        let extension = |id: &str, critical: bool, value: &[u8]| {
            let critical = if critical { tlv(0x01, &[0xff]) } else { Vec::new() };
            seq(&[oid(id), critical, octets(value)])
        };
        let usage = |bits: u8| extension("2.5.29.15", true, &tlv(0x03, &[0, bits]));
        let purpose = |id: &str| extension("2.5.29.37", true, &seq(&[oid(id)]));
        let mut extensions = match what {
            Use::Authority => vec![extension("2.5.29.19", true, &seq(&[tlv(0x01, &[0xff])])), usage(0x06)],
            Use::Signing => vec![usage(0xc0)],
            Use::Stamping => vec![usage(0x80), purpose("1.3.6.1.5.5.7.3.8")],
            Use::Responding => {
                let unchecked = extension("1.3.6.1.5.5.7.48.1.5", false, &tlv(0x05, &[]));
                vec![usage(0x80), purpose("1.3.6.1.5.5.7.3.9"), unchecked]
            }
        };
        if who != "root" {
            let ocsp = tlv(0x86, b"http://ocsp.example.vn/");
            let access = seq(&[seq(&[oid("1.3.6.1.5.5.7.48.1"), ocsp])]);
            extensions.push(extension("1.3.6.1.5.5.7.1.1", false, &access));
            let list = tlv(0x86, format!("http://crl.example.vn/{issuer}.crl").as_bytes());
            let point = seq(&[seq(&[context(0, &[context(0, &[list])])])]);
            extensions.push(extension("2.5.29.31", false, &point));
        }
        let tbs = seq(&[
            context(0, &[int(2)]),
            int(serial),
            self.algorithm(),
            name(issuer),
            seq(&[x509_time(from), x509_time(to)]),
            name(who),
            spki.clone(),
            context(3, &[seq(&extensions)]),
        ]);
        let key = der::content(parts(&spki)[1])[1..].to_vec();
        let made = Issued { der: self.signed(issuer, tbs), issuer: issuer.to_owned(), serial, key };
        self.issued.borrow_mut().insert(who.to_owned(), made);
    }

    /// From now on the answers say that `who` was revoked at that time.
    pub(crate) fn revoke(&self, who: &str, at: OffsetDateTime) {
        self.revoked.borrow_mut().push((who.to_owned(), at));
    }

    pub(crate) fn certificate(&self, who: &str) -> Vec<u8> {
        self.of(who).der
    }

    /// Where its key is, PEM.
    pub(crate) fn key(&self, who: &str) -> std::path::PathBuf {
        self.dir.path().join(format!("{who}.key"))
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::new([Certificate::from_der(&self.certificate("root")).unwrap()])
    }

    /// Who a certificate is.
    pub(crate) fn who(&self, der: &[u8]) -> String {
        let issued = self.issued.borrow();
        issued.iter().find(|(_, one)| one.der == der).map(|(who, _)| who.clone()).unwrap()
    }

    /// The list of `issuer` at `at`, good for a week.
    pub(crate) fn crl(&self, issuer: &str, at: OffsetDateTime) -> Vec<u8> {
        let revoked = self.revoked.borrow();
        let listed = revoked.iter().filter(|(who, when)| self.of(who).issuer == issuer && *when <= at);
        let entries: Vec<Vec<u8>> =
            listed.map(|(who, when)| seq(&[int(self.of(who).serial), x509_time(*when)])).collect();
        let until = at + time::Duration::days(7);
        let mut parts = vec![int(1), self.algorithm(), name(issuer), x509_time(at), x509_time(until)];
        if !entries.is_empty() {
            parts.push(seq(&entries));
        }
        let number = seq(&[oid("2.5.29.20"), octets(&int(u64::try_from(at.unix_timestamp()).unwrap()))]);
        parts.push(context(0, &[seq(&[number])]));
        self.signed(issuer, seq(&parts))
    }

    /// The answer about `who` at `at`, good for a day, by its issuer, or by `responder` if there is one.
    pub(crate) fn ocsp(&self, who: &str, at: OffsetDateTime) -> Vec<u8> {
        let about = self.of(who);
        let issuer = self.of(&about.issuer);
        let sha1 = |bytes: &[u8]| octets(&sha1::Sha1::digest(bytes));
        let id = seq(&[
            seq(&[oid(SHA1), tlv(0x05, &[])]),
            sha1(&name(&about.issuer)),
            sha1(&issuer.key),
            int(about.serial),
        ]);
        let revoked = self.revoked.borrow();
        let status = match revoked.iter().find(|(one, when)| one == who && *when <= at) {
            Some((_, when)) => context(1, &[generalized(*when)]),
            None => tlv(0x80, &[]),
        };
        let until = context(0, &[generalized(at + time::Duration::days(1))]);
        let single = seq(&[id, status, generalized(at), until]);
        let delegate = about.issuer.clone() + "-responder";
        let (signer, certificates) = if self.issued.borrow().contains_key(&delegate) {
            (delegate.as_str(), context(0, &[seq(&[self.certificate(&delegate)])]))
        } else {
            (about.issuer.as_str(), Vec::new())
        };
        let data = seq(&[context(1, &[name(signer)]), generalized(at), seq(&[single])]);
        let value = bits(&self.value(signer, &data));
        let basic = seq(&[data, self.algorithm(), value, certificates]);
        let bytes = seq(&[oid("1.3.6.1.5.5.7.48.1.1"), octets(&basic)]);
        seq(&[tlv(0x0a, &[0]), context(0, &[bytes])])
    }

    /// The answer of the authority `who` to a time-stamp request, at `at`.
    pub(crate) fn stamp(&self, who: &str, request: &[u8], at: OffsetDateTime) -> Vec<u8> {
        let asked = parts(request);
        let nonce = asked.iter().skip(2).find(|part| part[0] == 0x02).copied().unwrap_or_default();
        let info = seq(&[
            int(1),
            oid("2.999.1"),
            asked[1].to_vec(),
            int(self.serial.replace(self.serial.get() + 1)),
            generalized(at),
            nonce.to_vec(),
        ]);
        seq(&[seq(&[int(0)]), self.token(who, &info)])
    }

    fn token(&self, who: &str, info: &[u8]) -> Vec<u8> {
        self.message(who, "1.2.840.113549.1.9.16.1.4", &self.digest(info), Some(info))
    }

    /// A detached CMS over content with this digest.
    pub(crate) fn detached(&self, who: &str, digest: &[u8]) -> Vec<u8> {
        self.message(who, "1.2.840.113549.1.7.1", digest, None)
    }

    /// The same CMS with a stamp over its signature value, which is the last element of its only signer.
    pub(crate) fn stamped(&self, cms: &[u8], who: &str, at: OffsetDateTime) -> Vec<u8> {
        let info = parts(cms);
        let body = parts(parts(info[1])[0]);
        let (signers, rest) = body.split_last().unwrap();
        let old = parts(signers)[0];
        let fields = parts(old);
        let imprint = self.digest(der::content(fields[fields.len() - 1]));
        let request = seq(&[int(1), seq(&[seq(&[oid(self.hash())]), octets(&imprint)])]);
        let answer = self.stamp(who, &request, at);
        let token = parts(&answer)[1].to_vec();
        let attribute = seq(&[oid("1.2.840.113549.1.9.16.2.14"), set(vec![token])]);
        let signer = tlv(0x30, &[der::content(old), &context(1, &[attribute])].concat());
        let rest: Vec<Vec<u8>> = rest.iter().map(|part| part.to_vec()).collect();
        let body = seq(&[rest.concat(), set(vec![signer])]);
        seq(&[info[0].to_vec(), context(0, &[body])])
    }

    fn message(&self, who: &str, kind: &str, digest: &[u8], content: Option<&[u8]>) -> Vec<u8> {
        let certificate = self.certificate(who);
        let attribute = |id: &str, value: Vec<u8>| seq(&[oid(id), set(vec![value])]);
        // ESSCertID (SHA-1), or ESSCertIDv2 with its default SHA-256.
        let (id, ess) = if self.old_hash.get() {
            (sha1::Sha1::digest(&certificate).to_vec(), "12")
        } else {
            (sha2::Sha256::digest(&certificate).to_vec(), "47")
        };
        let attributes = set(vec![
            attribute("1.2.840.113549.1.9.3", oid(kind)),
            attribute("1.2.840.113549.1.9.4", octets(digest)),
            attribute(&format!("1.2.840.113549.1.9.16.2.{ess}"), seq(&[seq(&[seq(&[octets(&id)])])])),
        ]);
        let value = self.value(who, &attributes);
        self.around(who, kind, content, &tlv(0xa0, der::content(&attributes)), &value)
    }

    /// A detached CMS without attributes: its value is over the content itself.
    pub(crate) fn bare(&self, who: &str, content: &[u8]) -> Vec<u8> {
        self.around(who, "1.2.840.113549.1.7.1", None, &[], &self.value(who, content))
    }

    /// The message of one signer, around a value that is there.
    fn around(
        &self,
        who: &str,
        kind: &str,
        content: Option<&[u8]>,
        attributes: &[u8],
        value: &[u8],
    ) -> Vec<u8> {
        let (own, hash) = (self.of(who), self.hash());
        let signer = seq(&[
            int(1),
            seq(&[name(&own.issuer), int(own.serial)]),
            seq(&[oid(hash)]),
            attributes.to_vec(),
            self.algorithm(),
            octets(value),
        ]);
        let mut certificates = [own.der, self.certificate("ca")];
        certificates.sort();
        let inner = content.map_or_else(Vec::new, |content| context(0, &[octets(content)]));
        let body = seq(&[
            int(if content.is_some() { 3 } else { 1 }),
            set(vec![seq(&[oid(hash)])]),
            seq(&[oid(kind), inner]),
            tlv(0xa0, &certificates.concat()),
            set(vec![signer]),
        ]);
        seq(&[oid("1.2.840.113549.1.7.2"), context(0, &[body])])
    }

    /// With the hash of the day.
    pub(crate) fn digest(&self, bytes: &[u8]) -> Vec<u8> {
        match self.hash() {
            SHA1 => sha1::Sha1::digest(bytes).to_vec(),
            SHA256 => sha2::Sha256::digest(bytes).to_vec(),
            _ => sha2::Sha512::digest(bytes).to_vec(),
        }
    }

    fn hash(&self) -> &'static str {
        match self.keys {
            _ if self.old_hash.get() => SHA1,
            Keys::P256 => SHA256,
            Keys::P521 | Keys::Ed25519 => SHA512,
        }
    }

    fn of(&self, who: &str) -> Issued {
        self.issued.borrow().get(who).unwrap_or_else(|| panic!("{who} was not issued")).clone()
    }

    fn algorithm(&self) -> Vec<u8> {
        seq(&[oid(match self.keys {
            Keys::Ed25519 => ED25519,
            _ if self.old_hash.get() => ECDSA_SHA1,
            Keys::P256 => ECDSA_SHA256,
            Keys::P521 => ECDSA_SHA512,
        })])
    }

    fn signed(&self, who: &str, tbs: Vec<u8>) -> Vec<u8> {
        let value = bits(&self.value(who, &tbs));
        seq(&[tbs, self.algorithm(), value])
    }

    /// A signature value over `message`.
    pub(crate) fn value(&self, who: &str, message: &[u8]) -> Vec<u8> {
        std::fs::write(self.dir.path().join("message"), message).unwrap();
        let key = format!("{who}.key");
        let hash = match self.hash() {
            _ if self.keys == Keys::Ed25519 => {
                return self.run(&["pkeyutl", "-sign", "-rawin", "-inkey", &key, "-in", "message"]);
            }
            SHA1 => "-sha1",
            SHA256 => "-sha256",
            _ => "-sha512",
        };
        self.run(&["dgst", hash, "-sign", &key, "message"])
    }

    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("openssl").args(arguments).current_dir(self.dir.path()).output();
        let output = output.expect("the openssl command is needed for this test");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}
