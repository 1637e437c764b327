//! One file of the matrix: provisioned, signed as often as asked, numbered in the last revision, brought to its level.
//!
//! A file that another tool signed is not provisioned: each signature brings its own field, and nothing is filled.

use anyhow::{Context, Result, ensure};
use time::{Duration, OffsetDateTime};
use trinhky_pades::{
    BaseIndex, Fill, Mark, Midstate, Need, PagePlace, Permission, Protection, ProvisionPlan, SignRequest,
    Step, Target, Upgrade, Urgency,
    cms::{CheckedCms, ID_DATA, SignatureValue, assemble, check, signed_attributes},
    crypto, ingest,
    pdf::{Limits, Rect},
    prepare, prepare_dss, provision,
    tsp::TimestampRequest,
    verify::{self, VerifyPolicy},
    x509::{Certificate, TrustAnchors},
};

use crate::{
    axes::{Algorithm, Case, Input, Level},
    now,
    pictures::Pictures,
    pki::{self, Pki},
};

/// What a file is made with.
pub(crate) struct Desk<'a> {
    pub(crate) pki: &'a Pki,
    pub(crate) pictures: &'a Pictures,
    pub(crate) now: OffsetDateTime,
    /// Which of several threads this is: time stamps keep their own serial numbers.
    pub(crate) worker: usize,
}

/// A finished file.
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    /// The fields that our engine signed, in order.
    pub(crate) fields: Vec<String>,
    pub(crate) filled: bool,
}

/// A file on its way.
struct Draft {
    bytes: Vec<u8>,
    index: BaseIndex,
    midstate: Midstate,
}

impl Desk<'_> {
    /// Makes the file of a case from its input.
    ///
    /// # Errors
    /// Whatever the engine refuses: in the matrix nothing may be refused.
    pub(crate) fn make(&self, case: Case, input: &[u8]) -> Result<Made> {
        let taken = ingest(&input, &Limits::default())?;
        let foreign = case.input == Input::SignedElsewhere;
        let mut draft = if foreign {
            Draft { bytes: input.to_vec(), index: taken.index, midstate: taken.midstate }
        } else {
            let mut bytes = Vec::new();
            let urgency = case.input.conforms().then(|| Urgency::VeryUrgent.into());
            let plan = ProvisionPlan { urgency, ..ProvisionPlan::standard(case.signatures - 1) };
            let made = provision(&input, &taken, &plan, &mut bytes)?;
            Draft { bytes, index: made.index, midstate: made.midstate }
        };
        let (mut fields, mut signers) = (Vec::new(), Vec::new());
        for number in 1..=case.signatures {
            let last = number == case.signatures;
            let field = if last { "OrgSeal".to_owned() } else { format!("Signer{number}") };
            // One signature alone is made with the case's algorithm, too.
            let (signer, algorithm) = match case.signatures {
                2.. if last => ("seal".to_owned(), Algorithm::P256),
                _ => (pki::signer(case.algorithm.name(), number), case.algorithm),
            };
            let mut request = SignRequest::new(
                &field,
                &self.pki.certificate(&signer)?,
                self.now - Duration::minutes(1),
                seed(case, number),
            );
            request.image = Some(if last { self.pictures.seal.clone() } else { self.pictures.hand.clone() });
            if number == 1 && case.input.is_certified() {
                request.protection = Protection::Certify(Permission::Fill);
            }
            if foreign && last {
                // Nothing can be filled in what others signed: the number goes into the appearance.
                request.mark = Some(Mark::Attachment { number: "07/2026/QĐ-UBND".to_owned() });
            } else if foreign {
                let y = 40.0 + 70.0 * f64::from(number);
                request.place = Some(PagePlace { page: 1, rect: Rect::of(300.0, y, 100.0, 60.0) });
            } else if last {
                request.fills = fills();
            }
            self.sign(&mut draft, &request, (&signer, algorithm), case.level)
                .with_context(|| format!("signature {number} in {field}"))?;
            fields.push(field);
            signers.push(signer);
        }
        if case.level == Level::Lta {
            self.raise(&mut draft, seed(case, case.signatures + 1))?;
        } else if case.level == Level::Lt {
            signers.extend(foreign.then(|| "elsewhere".to_owned()));
            let content = self.pki.long_term_data(&signers)?;
            let seed = seed(case, case.signatures + 1);
            let dss = prepare_dss(&draft.bytes, &draft.index, &draft.midstate, &content, &seed)?;
            let dss = dss.context("the security store is empty")?;
            draft.append(&dss.tail, dss.index, dss.midstate);
        }
        Ok(Made { bytes: draft.bytes, fields, filled: !foreign })
    }

    fn sign(
        &self,
        draft: &mut Draft,
        request: &SignRequest,
        (signer, algorithm): (&str, Algorithm),
        level: Level,
    ) -> Result<()> {
        let prepared = prepare(&draft.bytes, &draft.index, &draft.midstate, request)?;
        let certificate = &request.certificate;
        let attributes = signed_attributes(&prepared.digest, certificate, ID_DATA)?;
        let raw = self.pki.sign(signer, algorithm, attributes.as_der())?;
        let value = match algorithm {
            Algorithm::Pss => SignatureValue::from_raw_pss(&raw, certificate)?,
            _ => SignatureValue::from_raw(&raw, certificate)?,
        };
        let cms = assemble(&attributes, &value, certificate, &[&self.pki.certificate("ca")?])?;
        let mut checked = check(&cms, &prepared.digest, certificate, crypto::aws_lc())?;
        if level >= Level::T {
            checked = self.stamp(&checked, request.file_id_seed)?;
        }
        let revision = prepared.complete(&checked)?;
        draft.append(&revision.tail, revision.index, revision.midstate);
        Ok(())
    }

    /// To B-LTA, by the machine that asks for what it needs; the test PKI answers.
    fn raise(&self, draft: &mut Draft, entropy: [u8; 16]) -> Result<()> {
        let anchors = TrustAnchors::new(vec![Certificate::from_der(&self.pki.certificate("root")?)?]);
        let policy = VerifyPolicy::new(&anchors, self.now, crypto::aws_lc());
        let mut upgrade = Upgrade::begin(&draft.bytes, &policy, Target::Lta, entropy)?;
        let raised = loop {
            let answer = match upgrade.poll(now()?)? {
                Step::Ask(Need::Timestamp { request, .. }) => self.pki.timestamp(&request, self.worker)?,
                Step::Ask(Need::Ocsp { request, .. }) => self.pki.ocsp_answer(&request, self.worker)?,
                Step::Ask(Need::Crl { url }) => self.pki.list(&url)?,
                Step::Done(raised) => break raised,
            };
            upgrade.answer(&answer, now()?)?;
        };
        for one in &raised.report.signatures {
            let stamp = one.kind == verify::Kind::DocumentTimestamp;
            ensure!(stamp || one.level == verify::Level::BLta, "{} is {:?}", one.field, one.level);
        }
        let (tail, index, midstate) = (raised.tail, raised.index, raised.midstate);
        draft.append(&tail, index, midstate);
        Ok(())
    }

    fn stamp(&self, checked: &CheckedCms, nonce: [u8; 16]) -> Result<CheckedCms> {
        let request = TimestampRequest::over(checked.signature_value(), nonce)?;
        let response = self.pki.timestamp(request.as_der(), self.worker)?;
        let token = request.accept(&response, crypto::aws_lc())?;
        Ok(checked.add_timestamp(&token)?)
    }
}

impl Draft {
    fn append(&mut self, tail: &[u8], index: BaseIndex, midstate: Midstate) {
        self.bytes.extend_from_slice(tail);
        (self.index, self.midstate) = (index, midstate);
    }
}

/// Number and date as the clerk's revision fills them.
fn fills() -> Vec<Fill> {
    [("DocNumber", "07/2026/QĐ-UBND"), ("DocDate", "ngày 05 tháng 02 năm 2026")]
        .map(|(field, text)| Fill { field: field.to_owned(), text: text.to_owned() })
        .to_vec()
}

/// Sixteen bytes that differ between cases and revisions, and are the same in every run.
fn seed(case: Case, revision: u16) -> [u8; 16] {
    let name = format!("{}.{revision}", case.name());
    let digest = trinhky_pades::Digest::of(name.as_bytes()).0;
    std::array::from_fn(|at| digest[at])
}
