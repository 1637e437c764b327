//! A certification authority, a time-stamping authority and an OCSP responder, all of them the `openssl` command: what
//! our engine takes in here was made by somebody else. Keys are fresh in every folder and are never shipped.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use time::{Duration, OffsetDateTime, macros::format_description};
use trinhky_pades::DssContent;

use crate::axes::Algorithm;

/// A folder with everything.
pub(crate) struct Pki {
    folder: PathBuf,
}

/// Signers besides those of each algorithm: the seal, and somebody who signs with another tool.
const OTHERS: [(&str, Algorithm, u16); 2] =
    [("seal", Algorithm::P256, 1), ("elsewhere", Algorithm::Rsa2048, 1)];

/// People who sign one document, the seal not counted.
const MOST_SIGNERS: u16 = 4;

/// The name of the certificate of the `number`th of several people: they have one key (which saves its making), each
/// with a certificate of their own.
pub(crate) fn signer(holder: &str, number: u16) -> String {
    if number > 1 { format!("{holder}-{number}") } else { holder.to_owned() }
}

impl Pki {
    /// Makes keys, certificates, CRLs and OCSP answers in an empty or new folder.
    pub(crate) fn make(folder: &Path, now: OffsetDateTime) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let pki = Self { folder: folder.to_owned() };
        pki.write("ca.cnf", CONFIG)?;
        for authority in ["root", "ca"] {
            pki.write(&format!("{authority}.index"), "")?;
            pki.write(&format!("{authority}.crlnumber"), "01\n")?;
        }
        pki.key("root", Algorithm::P256)?;
        pki.request("root", "/C=VN/O=Thử nghiệm liên thông/CN=Gốc liên thông")?;
        pki.issue("root", "root", "root", now, &["-selfsign", "-keyfile", "root.key"])?;
        pki.key("ca", Algorithm::Rsa2048)?;
        pki.request("ca", "/C=VN/O=Thử nghiệm liên thông/CN=CA liên thông")?;
        pki.issue("ca", "root", "authority", now, &[])?;
        for (name, section) in [("tsa", "stamping"), ("ocsp", "responder")] {
            pki.key(name, Algorithm::Rsa2048)?;
            pki.request(name, &format!("/C=VN/O=Thử nghiệm liên thông/CN=Dịch vụ {name}"))?;
            pki.issue(name, "ca", section, now, &[])?;
        }
        let many = Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm, MOST_SIGNERS));
        for (holder, algorithm, count) in many.into_iter().chain(OTHERS) {
            pki.key(holder, algorithm)?;
            for number in 1..=count {
                let name = signer(holder, number);
                let subject = format!("/C=VN/O=Ủy ban nhân dân phường Mường Thanh/CN=Người ký {name}");
                if number > 1 {
                    fs::copy(folder.join(format!("{holder}.key")), folder.join(format!("{name}.key")))?;
                }
                pki.request(&name, &subject)?;
                pki.issue(&name, "ca", "signer", now, &[])?;
                pki.ocsp(&name)?;
            }
        }
        pki.ocsp("tsa")?;
        for authority in ["root", "ca"] {
            let (pem, der) = (format!("{authority}.crl.pem"), format!("{authority}.crl"));
            let section = format!("{authority}_authority");
            pki.run(&["ca", "-gencrl", "-config", "ca.cnf", "-name", &section, "-out", &pem])?;
            pki.run(&["crl", "-in", &pem, "-outform", "DER", "-out", &der])?;
        }
        Ok(pki)
    }

    /// A folder made before.
    pub(crate) fn open(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// A certificate, DER.
    pub(crate) fn certificate(&self, name: &str) -> Result<Vec<u8>> {
        self.read(&format!("{name}.cer"))
    }

    /// What a document needs to be judged without the network.
    pub(crate) fn long_term_data(&self, signers: &[String]) -> Result<DssContent> {
        let mut content = DssContent {
            certs: vec![self.certificate("ca")?, self.certificate("root")?],
            crls: vec![self.read("root.crl")?, self.read("ca.crl")?],
            ocsps: Vec::new(),
        };
        for name in signers.iter().map(String::as_str).chain(["tsa"]) {
            content.ocsps.push(self.read(&format!("{name}.ocsp"))?);
        }
        Ok(content)
    }

    /// A signature value over a message, SHA-256.
    pub(crate) fn sign(&self, name: &str, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>> {
        let key = format!("{name}.key");
        let mut arguments = vec!["dgst", "-sha256", "-sign", &key];
        if algorithm == Algorithm::Pss {
            arguments.extend(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]);
        }
        self.run_on(&arguments, message)
    }

    /// A `TimeStampResp` for a request.
    pub(crate) fn timestamp(&self, request: &[u8], worker: usize) -> Result<Vec<u8>> {
        let (config, serial) = (format!("tsa-{worker}.cnf"), format!("tsa-{worker}.serial"));
        self.write(&config, &STAMPING.replace("SERIAL", &serial))?;
        if !self.folder.join(&serial).exists() {
            self.write(&serial, "0100\n")?;
        }
        let query = format!("request-{worker}.tsq");
        fs::write(self.folder.join(&query), request)?;
        self.run(&["ts", "-reply", "-config", &config, "-section", "stamping", "-queryfile", &query])
    }

    /// The responder's answer to a request of ours, nonce and all.
    pub(crate) fn ocsp_answer(&self, request: &[u8], worker: usize) -> Result<Vec<u8>> {
        let (asked, answer) = (format!("asked-{worker}.ocsp-request"), format!("asked-{worker}.ocsp"));
        fs::write(self.folder.join(&asked), request)?;
        self.answer(&asked, &answer)?;
        self.read(&answer)
    }

    /// The revocation list that an address in a certificate names.
    pub(crate) fn list(&self, url: &str) -> Result<Vec<u8>> {
        self.read(url.rsplit('/').next().unwrap_or_default())
    }

    fn key(&self, name: &str, algorithm: Algorithm) -> Result<()> {
        let out = format!("{name}.key");
        let bits = |bits: &'static str| vec!["genrsa", "-out", &out, bits];
        let curve = |curve: &'static str| vec!["ecparam", "-genkey", "-noout", "-out", &out, "-name", curve];
        self.run(&match algorithm {
            Algorithm::Rsa2048 | Algorithm::Pss => bits("2048"),
            Algorithm::Rsa3072 => bits("3072"),
            Algorithm::Rsa4096 => bits("4096"),
            Algorithm::P256 => curve("prime256v1"),
            Algorithm::P384 => curve("secp384r1"),
        })?;
        Ok(())
    }

    fn request(&self, name: &str, subject: &str) -> Result<()> {
        let (key, out) = (format!("{name}.key"), format!("{name}.csr"));
        let fixed = ["req", "-new", "-utf8", "-config", "/dev/null", "-subj", subject];
        self.run(&[&fixed[..], &["-key", &key, "-out", &out]].concat())?;
        Ok(())
    }

    fn issue(
        &self,
        name: &str,
        issuer: &str,
        section: &str,
        now: OffsetDateTime,
        more: &[&str],
    ) -> Result<()> {
        let (request, pem, der) = (format!("{name}.csr"), format!("{name}.pem"), format!("{name}.cer"));
        let authority = format!("{issuer}_authority");
        let instant = format_description!("[year][month][day][hour][minute][second]Z");
        let from = (now - Duration::days(1)).to_offset(time::UtcOffset::UTC).format(instant)?;
        let fixed = ["ca", "-batch", "-notext", "-utf8", "-config", "ca.cnf", "-startdate", &from];
        let these = ["-name", &authority, "-extensions", section, "-in", &request, "-out", &pem];
        self.run(&[&fixed[..], &these, more].concat())?;
        self.run(&["x509", "-in", &pem, "-outform", "DER", "-out", &der])?;
        Ok(())
    }

    fn ocsp(&self, name: &str) -> Result<()> {
        let (pem, request, answer) =
            (format!("{name}.pem"), format!("{name}.ocsp-request"), format!("{name}.ocsp"));
        let asked = ["ocsp", "-sha1", "-issuer", "ca.pem", "-cert", &pem, "-no_nonce", "-reqout", &request];
        self.run(&asked)?;
        self.answer(&request, &answer)
    }

    fn answer(&self, request: &str, answer: &str) -> Result<()> {
        let who =
            ["ocsp", "-index", "ca.index", "-CA", "ca.pem", "-rsigner", "ocsp.pem", "-rkey", "ocsp.key"];
        self.run(&[&who[..], &["-reqin", request, "-respout", answer, "-ndays", "7"]].concat())?;
        Ok(())
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        fs::read(self.folder.join(name)).with_context(|| format!("{name} of the test PKI"))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(name), text).with_context(|| format!("{name} of the test PKI"))
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        self.run_on(arguments, b"")
    }

    /// Runs openssl in the folder with something on its standard input.
    fn run_on(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        use std::io::Write as _;
        let mut child = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("the openssl command")?;
        child.stdin.take().context("standard input")?.write_all(input)?;
        let output = child.wait_with_output()?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "openssl {}: {words}", arguments.join(" "));
        Ok(output.stdout)
    }
}

const CONFIG: &str = "
[root_authority]
database = root.index
crlnumber = root.crlnumber
certificate = root.pem
private_key = root.key
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 3650
default_crl_days = 30
policy = anything
[ca_authority]
database = ca.index
crlnumber = ca.crlnumber
certificate = ca.pem
private_key = ca.key
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 365
default_crl_days = 30
policy = anything
[anything]
countryName = optional
organizationName = optional
commonName = supplied
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[authority]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://crl.interop.example/root.crl
[signer]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature,nonRepudiation
extendedKeyUsage = emailProtection,1.3.6.1.5.5.7.3.36
subjectAltName = email:nguoi.ky@interop.example
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
authorityInfoAccess = OCSP;URI:http://ocsp.interop.example/,caIssuers;URI:http://ca.interop.example/ca.cer
crlDistributionPoints = URI:http://crl.interop.example/ca.crl
[stamping]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature,nonRepudiation
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
authorityInfoAccess = OCSP;URI:http://ocsp.interop.example/
crlDistributionPoints = URI:http://crl.interop.example/ca.crl
[responder]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,OCSPSigning
noCheck = ignored
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

const STAMPING: &str = "
[stamping]
serial = SERIAL
signer_cert = tsa.pem
signer_key = tsa.key
certs = ca.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256,sha384,sha512
ess_cert_id_alg = sha256
accuracy = secs:1
";
