//! A small PKI made by the `openssl` command, which is also the judge of what we make: root, issuing CA, signers with
//! RSA and curve keys, and a time-stamping authority. Keys are fresh in every run and never leave the temporary folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use trinhky_pades::crypto::Provider;
use trinhky_pades::x509::{TrustAnchors, certificates_from_pem};

/// A folder with keys and certificates, removed at the end.
pub(crate) struct Pki {
    dir: tempfile::TempDir,
}

const EXTENSIONS: &str = "
[root]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[ca]
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[signer]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature,nonRepudiation
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=email:an.nguyen@example.gov.vn
authorityInfoAccess=OCSP;URI:http://ocsp.example.vn/,caIssuers;URI:http://ca.example.vn/ca.cer
crlDistributionPoints=URI:http://crl.example.vn/ca.crl
[tsa]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
authorityKeyIdentifier=keyid
[tsa_loose]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=timeStamping
[ocsp]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=OCSPSigning
noCheck=ignored
";

/// Which of the PKI's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rsa(u32),
    P256,
    P384,
    P521,
    Ed25519,
}

impl Pki {
    /// Root, issuing CA and TSA; signers are made on demand.
    pub(crate) fn new() -> Self {
        let pki = Self { dir: tempfile::tempdir().expect("temporary folder") };
        std::fs::write(pki.path("ext.cnf"), EXTENSIONS).expect("write");
        pki.key("root", Kind::P256);
        pki.run(&[
            "req",
            "-x509",
            "-new",
            "-key",
            "root.key",
            "-subj",
            "/C=VN/O=Thử nghiệm/CN=Gốc thử nghiệm",
            "-utf8",
            "-days",
            "3650",
            "-out",
            "root.pem",
            "-config",
            "/dev/null",
            "-addext",
            "basicConstraints=critical,CA:true",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ]);
        pki.issue("ca", Kind::Rsa(2048), "/C=VN/O=Thử nghiệm/CN=CA cấp hai", "ca", "root");
        pki.issue("tsa", Kind::Rsa(2048), "/C=VN/CN=TSA thử nghiệm", "tsa", "ca");
        pki
    }

    /// A certificate `name` for a fresh key, with a section of the extensions above, issued by `issuer`.
    pub(crate) fn issue(&self, name: &str, kind: Kind, subject: &str, section: &str, issuer: &str) {
        self.key(name, kind);
        self.run(&[
            "req",
            "-new",
            "-key",
            &format!("{name}.key"),
            "-subj",
            subject,
            "-utf8",
            "-out",
            &format!("{name}.csr"),
            "-config",
            "/dev/null",
        ]);
        self.run(&[
            "x509",
            "-req",
            "-in",
            &format!("{name}.csr"),
            "-CA",
            &format!("{issuer}.pem"),
            "-CAkey",
            &format!("{issuer}.key"),
            "-CAcreateserial",
            "-days",
            "365",
            "-extfile",
            "ext.cnf",
            "-extensions",
            section,
            "-out",
            &format!("{name}.pem"),
        ]);
    }

    /// A signer `name`, issued by the issuing CA.
    pub(crate) fn signer(&self, name: &str, kind: Kind) {
        self.issue(
            name,
            kind,
            "/C=VN/O=Ủy ban nhân dân tỉnh/title=Chủ tịch/CN=Nguyễn Văn Ân",
            "signer",
            "ca",
        );
    }

    fn key(&self, name: &str, kind: Kind) {
        let out = format!("{name}.key");
        match kind {
            Kind::Rsa(bits) => self.run(&["genrsa", "-out", &out, &bits.to_string()]),
            Kind::P256 => self.run(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &out]),
            Kind::P384 => self.run(&["ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", &out]),
            Kind::P521 => self.run(&["ecparam", "-name", "secp521r1", "-genkey", "-noout", "-out", &out]),
            Kind::Ed25519 => self.run(&["genpkey", "-algorithm", "ed25519", "-out", &out]),
        };
    }

    /// The DER of a certificate.
    pub(crate) fn certificate(&self, name: &str) -> Vec<u8> {
        self.run(&["x509", "-in", &format!("{name}.pem"), "-outform", "DER"])
    }

    /// The PEM of a certificate.
    pub(crate) fn pem(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.pem"))).expect("pem")
    }

    /// The root, trusted.
    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::new(certificates_from_pem(&self.pem("root")).expect("a certificate"))
    }

    /// The DER `SubjectPublicKeyInfo` of a key.
    pub(crate) fn spki(&self, name: &str) -> Vec<u8> {
        self.run(&["pkey", "-in", &format!("{name}.key"), "-pubout", "-outform", "DER"])
    }

    /// A signature value over `message`; with `-rawin` for a hash, by an algorithm that has none.
    pub(crate) fn sign(&self, name: &str, hash: &str, options: &[&str], message: &[u8]) -> Vec<u8> {
        // Several threads may sign at once.
        let file = format!("message-{:?}.bin", std::thread::current().id());
        self.write(&file, message);
        let key = format!("{name}.key");
        if hash == "-rawin" {
            return self.run(&["pkeyutl", "-sign", "-rawin", "-inkey", &key, "-in", &file]);
        }
        let mut arguments = vec!["dgst", hash, "-sign", &key];
        for option in options {
            arguments.extend(["-sigopt", option]);
        }
        arguments.push(&file);
        self.run(&arguments)
    }

    /// A `TimeStampResp` for a request, by the authority `tsa`.
    pub(crate) fn timestamp(&self, tsa: &str, request: &[u8]) -> Vec<u8> {
        let config = format!(
            "[tsa]\ndefault_tsa=t\n[t]\nserial=tsa.srl\nsigner_cert={tsa}.pem\ncerts=ca.pem\nsigner_key={tsa}.key\n\
             signer_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256,sha384,sha512\ness_cert_id_alg=sha256\n"
        );
        self.write("tsa.cnf", config.as_bytes());
        self.write("tsa.srl", b"01\n");
        self.write("request.tsq", request);
        self.run(&["ts", "-reply", "-config", "tsa.cnf", "-section", "t", "-queryfile", "request.tsq"])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("write");
    }

    /// Runs openssl in the folder; panics with its words if it fails.
    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.try_run(arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {words}");
        output.stdout
    }

    pub(crate) fn try_run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        command.output().expect("the openssl command is needed for this test")
    }
}

/// The providers that are compiled in; every test runs on each.
pub(crate) fn providers() -> Vec<&'static dyn Provider> {
    vec![
        trinhky_pades::crypto::pure(),
        #[cfg(feature = "aws-lc")]
        trinhky_pades::crypto::aws_lc(),
    ]
}

/// The folder of public test data. Absent and not asked for: `None`, after saying so.
pub(crate) fn corpora(part: &str) -> Option<PathBuf> {
    let named = std::env::var_os("TRINHKY_CORPORA").map(PathBuf::from);
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/public");
    let folder = named.clone().unwrap_or(default).join(part);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(named.is_none(), "TRINHKY_CORPORA is set, but {} is missing", folder.display());
    eprintln!("SKIPPED: no test data at {} (set TRINHKY_CORPORA)", folder.display());
    None
}

/// The DER in the first PEM block with this label; empty if there is none. Tolerates any width of lines.
pub(crate) fn pem_block(text: &str, label: &str) -> Vec<u8> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let block = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(block, _)| block);
    base64(block.unwrap_or_default())
}

/// Plain base64, white space ignored.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values = text.bytes().filter_map(|byte| digits.iter().position(|digit| *digit == byte));
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for value in values {
        bits = (bits << 6) | u32::try_from(value).expect("six bits");
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).expect("eight bits"));
        }
    }
    out
}
