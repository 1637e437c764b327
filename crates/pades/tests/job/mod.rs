//! One document on its way through the engine, signed with keys of the test PKI.

use std::process::Command;

use time::{Duration, OffsetDateTime, UtcOffset};
use trinhky_pades::{
    BaseIndex, Midstate, ProvisionPlan, SignRequest,
    cms::{ID_DATA, SignatureValue, assemble, check, signed_attributes},
    ingest,
    pdf::Limits,
    prepare, provision,
};

use crate::pki::{Pki, providers};

pub(crate) struct Job {
    pub(crate) bytes: Vec<u8>,
    pub(crate) index: BaseIndex,
    pub(crate) midstate: Midstate,
}

impl Job {
    /// A provisioned base.
    pub(crate) fn new(input: &[u8], plan: &ProvisionPlan) -> Self {
        let taken = ingest(&input, &Limits::default()).unwrap();
        let mut bytes = Vec::new();
        let made = provision(&input, &taken, plan, &mut bytes).unwrap();
        Self { bytes, index: made.index, midstate: made.midstate }
    }

    /// A file as it is.
    pub(crate) fn ingested(input: &[u8]) -> Self {
        let taken = ingest(&input, &Limits::default()).unwrap();
        Self { bytes: input.to_vec(), index: taken.index, midstate: taken.midstate }
    }

    pub(crate) fn request(pki: &Pki, key: &str, field: &str) -> SignRequest {
        let hanoi = UtcOffset::from_hms(7, 0, 0).unwrap();
        // The judges look at the real clock; the engine never does.
        let now = OffsetDateTime::from_unix_timestamp(unix_now()).unwrap().to_offset(hanoi);
        SignRequest::new(field, &pki.certificate(key), now - Duration::minutes(1), [7; 16])
    }

    pub(crate) fn sign(&mut self, pki: &Pki, key: &str, field: &str, change: impl Fn(&mut SignRequest)) {
        let mut request = Self::request(pki, key, field);
        change(&mut request);
        let prepared = prepare(&self.bytes, &self.index, &self.midstate, &request).unwrap();
        let certificate = pki.certificate(key);
        let attributes = signed_attributes(&prepared.digest, &certificate, ID_DATA).unwrap();
        let raw = pki.sign(key, "-sha256", &[], attributes.as_der());
        let value = SignatureValue::from_raw(&raw, &certificate).unwrap();
        let cms = assemble(&attributes, &value, &certificate, &[&pki.certificate("ca")]).unwrap();
        let checked = check(&cms, &prepared.digest, &certificate, providers()[0]).unwrap();
        let signed = prepared.complete(&checked).unwrap();
        self.append(&signed.tail, signed.index, signed.midstate);
    }

    pub(crate) fn append(&mut self, tail: &[u8], index: BaseIndex, midstate: Midstate) {
        self.bytes.extend_from_slice(tail);
        let again = ingest(&self.bytes, &Limits::default()).unwrap();
        assert_eq!(again.midstate, midstate);
        assert_eq!(again.sha256, index.sha256);
        assert_eq!(
            (again.index.startxref, again.index.size, again.index.revisions),
            (index.startxref, index.size, index.revisions)
        );
        for field in &index.fields {
            // By number: foreign files have fields that share a name.
            let seen = again.index.fields.iter().find(|seen| seen.id == field.id);
            assert_eq!(seen, Some(field));
        }
        self.index = index;
        self.midstate = midstate;
    }

    /// qpdf, pyHanko and pdfsig, as far as they are installed.
    pub(crate) fn judge(&self, pki: &Pki, name: &str) {
        let file = format!("{name}.pdf");
        pki.write(&file, &self.bytes);
        let path = pki.path(&file);
        if let Some(keep) = std::env::var_os("KEEP") {
            std::fs::copy(&path, std::path::Path::new(&keep).join(&file)).unwrap();
        }
        if let Ok(output) = Command::new("qpdf").arg("--check").arg(&path).output() {
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        }
        if let Some(python) = std::env::var_os("TRINHKY_PYHANKO") {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/job/judge.py");
            let output =
                Command::new(python).arg(script).arg(&path).arg(pki.path("root.pem")).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}: {said}");
            println!("{name}: {said}");
        }
        if let Ok(output) = Command::new("pdfsig").arg("-nocert").arg(&path).output() {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let valid = said.matches("Signature is Valid").count();
            let filled = self.index.fields.iter().filter(|field| field.signature && field.filled).count();
            assert_eq!(valid, filled, "{name}: {said}");
        }
    }
}

/// A page in the form of NĐ 30/2020: blanks for number and date, title and name of the signer.
pub(crate) fn text_page() -> Vec<u8> {
    let content = "BT /F1 13 Tf 85 745 Td (So:        /QD-UBND) Tj 230 0 Td (Ha Noi, ngay    thang    nam 2021) Tj ET \
                   BT /F1 13 Tf 360 300 Td (CHU TICH) Tj -5 -90 Td (Nguyen Van An) Tj ET";
    assembled(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        stream("", content),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>".to_owned(),
    ])
}

/// A stream object with these keys.
pub(crate) fn stream(keys: &str, data: &str) -> String {
    format!("<< {keys} /Length {} >>\nstream\n{data}\nendstream", data.len())
}

/// A file of these objects, numbered from 1; the first is the catalog.
pub(crate) fn assembled(objects: &[String]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let xref = file.len();
    let size = objects.len() + 1;
    file.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
    for offset in offsets {
        file.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    file.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n").bytes());
    file
}

/// The same with a cross-reference stream and object streams, by qpdf; the file itself if there is no qpdf.
pub(crate) fn as_streams(input: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in.pdf"), folder.path().join("out.pdf"));
    std::fs::write(&from, input).unwrap();
    match Command::new("qpdf").arg("--object-streams=generate").arg(&from).arg(&to).status() {
        Ok(status) if status.success() => std::fs::read(&to).unwrap(),
        _ => input.to_vec(),
    }
}

/// A PNG with a coloured ring on transparent ground.
pub(crate) fn ring(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (f64::from(x) / f64::from(width) - 0.5, f64::from(y) / f64::from(height) - 0.5);
            let inked = (0.35..0.48).contains(&dx.hypot(dy)) || (dx + dy).abs() < 0.02;
            pixels.extend([colour[0], colour[1], colour[2], if inked { 255 } else { 0 }]);
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

#[expect(clippy::disallowed_methods, reason = "certificates of the test PKI are valid from now on")]
fn unix_now() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(elapsed.unwrap().as_secs()).unwrap()
}
