//! The documents that are measured: files read by position, a base provisioned from one, revisions signed on it by a
//! key that stands in for a SIM.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use time::OffsetDateTime;
use trinhky_pades::cms::{self, ID_DATA, SignatureValue};
use trinhky_pades::pdf::Limits;
use trinhky_pades::x509::{TrustAnchors, certificates_from_pem};
use trinhky_pades::{
    BaseIndex, Concat, Fill, Ingested, Midstate, Prepared, ProvisionPlan, SignRequest, SignedTail, Source,
    SourceError, crypto, ingest, prepare, provision,
};

/// The signer's certificate and key.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Key {
    /// Signer's certificate, PEM.
    #[arg(long)]
    pub cert: PathBuf,
    /// Signer's key, PKCS#8 PEM.
    #[arg(long)]
    pub key: PathBuf,
}

/// Signs `file` by `signatures` people and writes the whole to `out`.
///
/// # Errors
/// The file or the key cannot be used.
pub(crate) fn write_signed(file: &Path, out: &Path, key: &Key, signatures: u16) -> Result<()> {
    let signer = Signer::load(key)?;
    let source = Positional::open(file)?;
    let taken = ingest(&source, &Limits::default())?;
    let base = Base::provision(&source, &taken, signatures)?;
    let tails = base.signed(&signer, signatures)?;
    let mut out = File::create(out)?;
    std::io::copy(&mut File::open(base.file.path())?, &mut out)?;
    out.write_all(&tails)?;
    Ok(())
}

/// A provisioned base in a temporary file.
pub(crate) struct Base {
    pub source: Positional,
    index: BaseIndex,
    midstate: Midstate,
    file: tempfile::NamedTempFile,
}

impl Base {
    /// `source` with the usual fields for `signers` people and the seal.
    pub(crate) fn provision(source: &Positional, taken: &Ingested, signers: u16) -> Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        let made = provision(source, taken, &ProvisionPlan::standard(signers), &mut file)?;
        file.flush()?;
        let source = Positional::open(file.path())?;
        Ok(Self { source, index: made.index, midstate: made.midstate, file })
    }

    /// The first signer's revision; `round` makes it a fresh one.
    pub(crate) fn prepare(&self, signer: &Signer, round: u32) -> Result<Prepared> {
        Ok(prepare(&self.source, &self.index, &self.midstate, &signer.request("Signer1", round))?)
    }

    /// The tails of `signatures` revisions, one behind the other. Of two, the second is the seal with its fills.
    pub(crate) fn signed(&self, signer: &Signer, signatures: u16) -> Result<Vec<u8>> {
        let mut tails = Vec::new();
        let (mut index, mut midstate) = (self.index.clone(), self.midstate.clone());
        for number in 1..=signatures {
            let field =
                if signatures == 2 && number == 2 { "OrgSeal".to_owned() } else { format!("Signer{number}") };
            let mut request = signer.request(&field, u32::from(number));
            if field == "OrgSeal" {
                let fill = |field: &str, text: &str| Fill { field: field.to_owned(), text: text.to_owned() };
                request.fills = vec![fill("DocNumber", "12"), fill("DocDate", "22/11/2026")];
            }
            let prepared = prepare(&Concat::new(&self.source, &tails), &index, &midstate, &request)?;
            let assembled = signer.assembled(&prepared)?;
            let done = signer.embed(prepared, &assembled)?;
            tails.extend_from_slice(&done.tail);
            (index, midstate) = (done.index, done.midstate);
        }
        Ok(tails)
    }
}

/// A key that signs at once, as a SIM does after a while.
pub(crate) struct Signer {
    key: RsaKeyPair,
    certificate: Vec<u8>,
    pub anchors: TrustAnchors,
}

impl Signer {
    pub(crate) fn load(key: &Key) -> Result<Self> {
        let pem = std::fs::read_to_string(&key.cert)?;
        let certificate = certificates_from_pem(&pem)?.first().context("a certificate")?.as_der().to_vec();
        let der = std::process::Command::new("openssl")
            .args(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in"])
            .arg(&key.key)
            .output()?;
        let key = RsaKeyPair::from_pkcs8(&der.stdout).map_err(|error| anyhow!("the key: {error}"))?;
        Ok(Self { key, certificate, anchors: TrustAnchors::from_pem(&pem)? })
    }

    fn request(&self, field: &str, round: u32) -> SignRequest {
        let mut seed = [0; 16];
        seed[..4].copy_from_slice(&round.to_be_bytes());
        let mut request = SignRequest::new(field, &self.certificate, now_utc(), seed);
        // As the server and pyHanko beside it: no more room than the signature and its time stamp may take.
        request.reserve = Some(SignRequest::room_for([self.certificate.len()]));
        request
    }

    /// A CMS over what was prepared, as it comes from outside.
    pub(crate) fn assembled(&self, prepared: &Prepared) -> Result<Vec<u8>> {
        let attributes = cms::signed_attributes(&prepared.digest, &self.certificate, ID_DATA)?;
        let mut raw = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), attributes.as_der(), &mut raw)
            .map_err(|error| anyhow!("signing: {error}"))?;
        let value = SignatureValue::from_raw(&raw, &self.certificate)?;
        Ok(cms::assemble(&attributes, &value, &self.certificate, &[])?)
    }

    /// Checks a CMS and puts it into its gap.
    pub(crate) fn embed(&self, prepared: Prepared, assembled: &[u8]) -> Result<SignedTail> {
        let checked = cms::check(assembled, &prepared.digest, &self.certificate, crypto::aws_lc())?;
        Ok(prepared.complete(&checked)?)
    }
}

/// A file read by position.
pub(crate) struct Positional {
    file: File,
    len: u64,
}

impl Positional {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }
}

impl Source for Positional {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        self.file.read_exact_at(buf, at).map_err(|error| SourceError::Medium(error.to_string()))
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark runs at real time")]
pub(crate) fn now_utc() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
