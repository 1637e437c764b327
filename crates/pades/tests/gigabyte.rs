//! A gigabyte in 64 MB of memory: a file that is mostly zeros and exists nowhere is taken in, provisioned, signed and
//! verified. A program of its own, so that the peak is its own.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::{collections::BTreeMap, io};

use pki::{Kind, Pki, providers};
use time::OffsetDateTime;
use trinhky_pades::{
    Concat, ProvisionPlan, SignRequest, Source, SourceError,
    cms::{ID_DATA, SignatureValue, assemble, check, signed_attributes},
    ingest,
    pdf::Limits,
    prepare, provision,
    verify::{VerifyPolicy, verify},
    x509::TrustAnchors,
};

const ZEROS: u64 = 1_000_000_000;

/// Bytes of which only those are kept that are not zero.
#[derive(Default)]
struct Sparse {
    len: u64,
    parts: BTreeMap<u64, Vec<u8>>,
}

impl Source for Sparse {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        let end = at + buf.len() as u64;
        if end > self.len {
            return Err(SourceError::OutOfRange { at, len: buf.len() as u64, total: self.len });
        }
        buf.fill(0);
        for (&start, part) in self.parts.range(..end).rev() {
            let stop = start + part.len() as u64;
            let (from, to) = (start.max(at), stop.min(end));
            if from < to {
                let place =
                    |base: u64| usize::try_from(from - base).unwrap()..usize::try_from(to - base).unwrap();
                buf[place(at)].copy_from_slice(&part[place(start)]);
            }
        }
        Ok(())
    }
}

impl io::Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes != vec![0; bytes.len()] {
            self.parts.insert(self.len, bytes.to_vec());
        }
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One empty page, and a stream of zeros that the catalog refers to.
fn document() -> Sparse {
    let mut file = Sparse::default();
    let mut offsets = Vec::new();
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /PieceInfo 4 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>".to_owned(),
        format!("<< /Length {ZEROS} >>\nstream\n"),
    ];
    let write = |file: &mut Sparse, text: &str| io::Write::write_all(file, text.as_bytes()).unwrap();
    write(&mut file, "%PDF-1.7\n%\u{e9}\u{e9}\u{e9}\u{e9}\n");
    for (number, body) in (1..).zip(&objects) {
        offsets.push(file.len);
        write(&mut file, &format!("{number} 0 obj\n{body}"));
        if number == 4 {
            file.len += ZEROS;
            write(&mut file, "\nendstream");
        }
        write(&mut file, "\nendobj\n");
    }
    let xref = file.len;
    write(&mut file, "xref\n0 5\n0000000000 65535 f \n");
    for offset in offsets {
        write(&mut file, &format!("{offset:010} 00000 n \n"));
    }
    write(&mut file, &format!("trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n"));
    file
}

#[test]
fn a_gigabyte_is_signed_and_verified_in_64_megabytes() {
    let pki = Pki::new();
    pki.signer("leader", Kind::P256);
    let certificate = pki.certificate("leader");
    let source = document();
    let taken = ingest(&source, &Limits::default()).unwrap();
    let mut base = Sparse::default();
    let made = provision(&source, &taken, &ProvisionPlan::standard(1), &mut base).unwrap();
    assert!(!made.normalised, "{:?}", made.why);
    assert!(base.len > ZEROS);

    let now = now();
    let request = SignRequest::new("Signer1", &certificate, now, [7; 16]);
    let prepared = prepare(&base, &made.index, &made.midstate, &request).unwrap();
    let attributes = signed_attributes(&prepared.digest, &certificate, ID_DATA).unwrap();
    let raw = pki.sign("leader", "-sha256", &[], attributes.as_der());
    let value = SignatureValue::from_raw(&raw, &certificate).unwrap();
    let cms = assemble(&attributes, &value, &certificate, &[&pki.certificate("ca")]).unwrap();
    let provider = providers()[0];
    let checked = check(&cms, &prepared.digest, &certificate, provider).unwrap();
    let signed = prepared.complete(&checked).unwrap();

    let whole = Concat::new(&base, &signed.tail);
    let limits = Limits { file_len: 2 * ZEROS, ..Limits::default() };
    let anchors = TrustAnchors::from_pem(&pki.pem("root")).unwrap();
    let report =
        verify(&whole, &VerifyPolicy { limits, ..VerifyPolicy::new(&anchors, now, provider) }).unwrap();
    assert!(report.signatures[0].checks.integrity.ok, "{:?}", report.signatures);
    if let Some(kb) = peak_kb() {
        assert!(kb < 64 << 10, "{kb} kB");
    }
}

#[expect(clippy::disallowed_methods, reason = "the test's certificates are of today")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Peak resident memory of this process, where the system tells.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .ok()
}
