//! From the parts to the report: proofs of existence from the newest signature back, one indication per signature.

use time::OffsetDateTime;

use super::{
    VerifyPolicy, date, hashing, level,
    level::Proofs,
    material::Material,
    message::{self, Content, Judged},
    report::{
        Check, Checks, Coverage, Indication, Kind, Level, Report, SignatureReport, Signer, SubIndication,
        Verdict,
    },
    stamps,
    structure::{self, Located},
    trust::{self, Held, Subject, Trusted},
    words,
};
use crate::{
    changes::{Change, ChangeKind, Restriction, Step, judge, steps_after},
    crypto::Effort,
    pdf::{File, PdfError},
    protection::Protected,
    x509::{Certificate, path::Purpose},
};

/// The answer about a file, and what it rests on.
pub(crate) struct Examined {
    /// The answer.
    pub(crate) report: Report,
    /// Everybody who has to be believed for it: signers and authorities of time stamps.
    pub(crate) subjects: Vec<Subject>,
    /// What there is to believe them by.
    pub(crate) material: Material,
    /// Since when that demonstrably exists.
    pub(crate) proofs: Proofs,
}

/// Verifies every signature of an open file, from the last one back: what a document time stamp covers is proven to
/// have existed at its time, and may be judged as of then (EN 319 102-1, 5.6).
pub(crate) fn examine(file: &File<'_>, policy: &VerifyPolicy<'_>) -> Result<Examined, PdfError> {
    let located = structure::locate(file)?;
    let contents: Vec<Content> = located.iter().map(message::read).collect();
    let (sha256, digests) = digests(file, &located, &contents)?;
    let mut material = Material::given(policy);
    for (one, content) in located.iter().zip(&contents) {
        let (crls, responses) = content.revocation();
        material.add(&[], crls, responses, Some(one.revision));
    }
    material.add_store(file);
    let oldest = located.iter().map(|one| one.revision).min();
    let steps = oldest.map(|oldest| steps_after(file, oldest, &policy.analysis)).unwrap_or_default();
    let covered = located.iter().filter(|one| one.coverage != Coverage::Partial).map(Located::end).max();
    let covered = covered.unwrap_or_default();
    let stray = oldest.map_or(Ok(Vec::new()), |oldest| structure::stray_bytes(file, oldest, covered))?;
    let effort = Effort::default();
    let judged: Vec<Judged> = located
        .iter()
        .zip(&contents)
        .zip(&digests)
        .map(|((one, content), digest)| {
            let provider = effort.metered(policy.provider);
            content.judge(one, digest.as_deref(), &material.certificates, &provider)
        })
        .collect();
    for one in &judged {
        material.add(&one.certificates, Vec::new(), Vec::new(), None);
        for token in one.inner_stamps.iter().flatten() {
            material.add(token.certificates(), Vec::new(), Vec::new(), None);
        }
    }
    let told = (TOLD / located.len().max(1)).clamp(64, 1000);
    let work = Work { file, policy, material, steps, stray, effort, told };
    let mut proofs = Proofs::default();
    let mut subjects = Vec::new();
    let mut signatures = Vec::new();
    for (one, judged) in located.iter().zip(&judged).rev() {
        let (report, believed) = work.signature(one, judged, &proofs);
        if report.kind == Kind::DocumentTimestamp
            && report.indication == Indication::TotalPassed
            && let Some(time) = report.timestamp_time
        {
            proofs.add(one.revision, time);
        }
        subjects.extend(believed);
        signatures.push(report);
    }
    signatures.reverse();
    let verdict = verdict(&signatures);
    let mut report = Report { file: String::new(), sha256, verdict, signatures, reason: String::new() };
    report.reason = words::reason(&report);
    // What could not be read any more may be what would have been refused.
    file.within_limits()?;
    Ok(Examined { report, subjects, material: work.material, proofs })
}

fn verdict(signatures: &[SignatureReport]) -> Verdict {
    if signatures.is_empty() {
        Verdict::NoSignature
    } else if signatures.iter().any(|one| one.indication == Indication::TotalFailed) {
        Verdict::TotalFailed
    } else if signatures.iter().any(|one| one.indication == Indication::Indeterminate) {
        Verdict::Indeterminate
    } else {
        Verdict::TotalPassed
    }
}

fn digests(file: &File<'_>, located: &[Located], contents: &[Content]) -> Result<hashing::Digests, PdfError> {
    let mut jobs = Vec::new();
    let mut owners = Vec::new();
    for (index, (one, content)) in located.iter().zip(contents).enumerate() {
        if let (Some([0, first, resume, rest]), Some(algorithm)) = (one.range, content.algorithm()) {
            jobs.push(hashing::Job { first, resume, end: resume.saturating_add(rest), algorithm });
            owners.push(index);
        }
    }
    let (whole, results) = hashing::digests(file.source(), &jobs)?;
    let mut digests = vec![None; located.len()];
    for (owner, result) in owners.into_iter().zip(results) {
        if let Some(slot) = digests.get_mut(owner) {
            *slot = result;
        }
    }
    Ok((whole, digests))
}

struct Work<'w, 'f, 'p> {
    file: &'w File<'f>,
    policy: &'w VerifyPolicy<'p>,
    material: Material,
    steps: Vec<Step>,
    stray: Vec<usize>,
    effort: Effort,
    /// Most changes that are told of one signature.
    told: usize,
}

/// Most changes that are told of all signatures together.
const TOLD: usize = 100_000;

/// An answer with the sub-indication that goes with a no.
type Answer = (Check, Option<SubIndication>);

impl Work<'_, '_, '_> {
    /// The answer about one signature, and whom it believes.
    fn signature(&self, one: &Located, judged: &Judged, proofs: &Proofs) -> (SignatureReport, Vec<Subject>) {
        let protected = Protected::by(&self.file.at(one.revision), &one.dict, &one.field.dict);
        let kind = kind(one, &protected);
        let Protected { docmdp, locks, .. } = protected;
        let restriction = Restriction { docmdp, signed: one.revision, locks };
        let later_changes = self.later_changes(one, &restriction);
        let archived = proofs.of(one.revision);
        let held = Held { material: &self.material, proofs, effort: &self.effort };
        let stamps = stamps::judge(judged, archived, &held, self.policy);
        let proven = archived.into_iter().chain(stamps.proven).min();
        let signature = signature_check(one, judged, proven, self.file);
        let integrity = integrity_check(one, judged, &later_changes, self.file);
        let purpose =
            if kind == Kind::DocumentTimestamp { Purpose::TimeStamping } else { Purpose::DocumentSigning };
        let stated = judged.stamp.as_ref().map(crate::tsp::CheckedToken::time);
        let subject = judged.certificate.clone();
        let subject = subject.map(|certificate| Subject { certificate, purpose, proven, stated });
        let trusted = match &subject {
            None => Trusted::no("signer_certificate_missing", SubIndication::NoSigningCertificateFound),
            Some(subject) => trust::certificate(subject, &held, self.policy, self.policy.revocation),
        };
        let certificate = (trusted.check.clone(), trusted.sub_indication);
        let sub_indication = [&integrity, &signature, &certificate]
            .into_iter()
            .find_map(|(check, sub)| sub.filter(|_| !check.ok))
            .or(stamps.problem);
        let believed: Vec<Subject> = subject.into_iter().chain(stamps.believed).collect();
        let sound = sub_indication.is_none() && judged.baseline && kind != Kind::DocumentTimestamp;
        let level = match (sound, proven) {
            (false, _) if kind == Kind::DocumentTimestamp || !judged.baseline || judged.problem.is_some() => {
                Level::None
            }
            (_, None) => Level::BB,
            (false, Some(_)) => Level::BT,
            (true, Some(_)) => level::reached(&believed, one.revision, &held, self.policy),
        };
        let report = SignatureReport {
            field: one.field.name.clone(),
            kind,
            sub_filter: one.sub_filter(),
            signer: judged.certificate.as_ref().map(signer).unwrap_or_default(),
            claimed_time: one.text("M").and_then(|text| date::parse(&text)).or(judged.claimed_time),
            timestamp_time: stamps.time,
            level,
            coverage: one.coverage,
            revision: one.revision + 1,
            indication: sub_indication.map_or(Indication::TotalPassed, SubIndication::indication),
            sub_indication,
            checks: Checks {
                signature: signature.0,
                integrity: integrity.0,
                certificate: certificate.0,
                timestamp: stamps.check,
            },
            later_changes,
        };
        (report, believed)
    }

    fn later_changes(&self, one: &Located, restriction: &Restriction) -> Vec<Change> {
        let first = self.steps.partition_point(|step| step.revision <= one.revision);
        let later = self.steps.get(first..).unwrap_or_default();
        let facts: usize = later.iter().map(|step| step.facts.len()).sum();
        // A lock is a list of names, each compared with the name of each field.
        if self.file.judged(facts.saturating_mul(4 + restriction.names())).is_err() {
            return vec![Change::forbidden(one.revision + 1, ChangeKind::Other, "too_much_to_analyse")];
        }
        let mut changes = judge(later, restriction);
        let last = self.file.revisions().len().saturating_sub(1);
        for &revision in &self.stray {
            let behind_all = revision == last && one.revision == last;
            if revision > one.revision || (behind_all && one.coverage != Coverage::WholeFile) {
                changes.push(Change::forbidden(revision + 1, ChangeKind::Other, "bytes_outside_revision"));
            }
        }
        // What is not allowed comes first where there are too many to be told.
        if changes.len() > self.told {
            changes.sort_by_key(|change| (change.allowed, change.code != "bytes_outside_revision"));
            changes.truncate(self.told);
        }
        changes.sort_by_key(|change| change.revision);
        changes
    }
}

fn kind(one: &Located, protected: &Protected) -> Kind {
    if one.is_timestamp() {
        Kind::DocumentTimestamp
    } else if protected.certified {
        Kind::Certification
    } else {
        Kind::Approval
    }
}

fn signature_check(
    one: &Located,
    judged: &Judged,
    proven: Option<OffsetDateTime>,
    file: &File<'_>,
) -> Answer {
    if file.oddities().repaired {
        return (Check::fail("file_repaired"), Some(SubIndication::FormatFailure));
    }
    if let Some(code) = one.problems.iter().find(|code| !code.starts_with("byte_range")) {
        return (Check::fail(code), Some(SubIndication::FormatFailure));
    }
    if let Some((code, sub)) = judged.problem {
        return (Check::fail(code), Some(sub));
    }
    if judged.weaknesses.iter().any(|weakness| !trust::was_strong(*weakness, proven)) {
        return (Check::fail("weak_algorithm"), Some(SubIndication::CryptoConstraintsFailureNoPoe));
    }
    (Check::pass(), None)
}

fn integrity_check(one: &Located, judged: &Judged, changes: &[Change], file: &File<'_>) -> Answer {
    let failed = |code| (Check::fail(code), Some(SubIndication::FormatFailure));
    if let Some(code) = one.problems.iter().find(|code| code.starts_with("byte_range")) {
        return failed(code);
    }
    match judged.digest_ok {
        Some(false) => return (Check::fail("digest_mismatch"), Some(SubIndication::HashFailure)),
        // The reason stands with the signature itself.
        None => return (Check::fail("digest_not_checked"), None),
        Some(true) => {}
    }
    if one.coverage == Coverage::Partial {
        return failed("not_covered");
    }
    if file.oddities().repaired {
        return failed("file_repaired");
    }
    if changes.iter().any(|change| change.code == "bytes_outside_revision") {
        return failed("bytes_outside_revision");
    }
    if changes.iter().any(|change| !change.allowed) {
        return failed("changed_after_signing");
    }
    (Check::pass(), None)
}

fn signer(certificate: &Certificate) -> Signer {
    let subject = certificate.subject();
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Signer {
        subject: subject.to_string(),
        common_name: text(subject.common_name()),
        email: text(certificate.email()),
        organisation: text(subject.organisation()),
        serial: certificate.serial_hex(),
        sha256: certificate.sha256().to_string(),
    }
}
