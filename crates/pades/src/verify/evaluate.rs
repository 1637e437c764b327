//! From the parts to the report: proofs of existence from the newest signature back, one indication per signature.

use time::OffsetDateTime;

use super::{
    VerifyPolicy, date, hashing,
    material::Material,
    message::{self, Content, Judged},
    report::{
        Check, Checks, Coverage, Indication, Kind, Level, Report, SignatureReport, Signer, SubIndication,
        Verdict,
    },
    structure::{self, Located},
    trust::{self, Trusted},
    words,
};
use crate::{
    changes::{Change, ChangeKind, Lock, Restriction, Step, judge, steps_after},
    pdf::{Dict, File, Object, PdfError},
    x509::{Certificate, path::Purpose},
};

/// Verifies every signature of an open file.
pub(super) fn evaluate(file: &File<'_>, policy: &VerifyPolicy<'_>) -> Result<Report, PdfError> {
    let located = structure::locate(file)?;
    let contents: Vec<Content> = located.iter().map(message::read).collect();
    let (sha256, digests) = digests(file, &located, &contents)?;
    let mut material = Material::given(policy);
    for content in &contents {
        let (crls, responses) = content.revocation();
        material.add(&[], crls, responses);
    }
    material.add_store(file);
    let oldest = located.iter().map(|one| one.revision).min();
    let steps = oldest.map(|oldest| steps_after(file, oldest, &policy.analysis)).unwrap_or_default();
    let covered = located.iter().filter(|one| one.coverage != Coverage::Partial).map(Located::end).max();
    let covered = covered.unwrap_or_default();
    let stray = oldest.map_or(Ok(Vec::new()), |oldest| structure::stray_bytes(file, oldest, covered))?;
    let judged: Vec<Judged> = located
        .iter()
        .zip(&contents)
        .zip(&digests)
        .map(|((one, content), digest)| {
            content.judge(one, digest.as_deref(), &material.certificates, policy.provider)
        })
        .collect();
    for one in &judged {
        material.add(&one.certificates, Vec::new(), Vec::new());
    }
    let work = Work { file, policy, material, steps, stray };
    let mut proofs: Vec<(usize, OffsetDateTime)> = Vec::new();
    let mut signatures = Vec::new();
    for ((one, content), judged) in located.iter().zip(&contents).zip(&judged).rev() {
        let report = work.signature(one, content, judged, &proofs);
        if report.kind == Kind::DocumentTimestamp
            && report.indication == Indication::TotalPassed
            && let Some(time) = report.timestamp_time
        {
            proofs.push((one.revision, time));
        }
        signatures.push(report);
    }
    signatures.reverse();
    let verdict = verdict(&signatures);
    let mut report = Report { file: String::new(), sha256, verdict, signatures, reason: String::new() };
    report.reason = words::reason(&report);
    Ok(report)
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
}

/// An answer with the sub-indication that goes with a no.
type Answer = (Check, Option<SubIndication>);

impl Work<'_, '_, '_> {
    fn signature(
        &self,
        one: &Located,
        content: &Content,
        judged: &Judged,
        proofs: &[(usize, OffsetDateTime)],
    ) -> SignatureReport {
        let kind = kind(one);
        let restriction = restriction(one);
        let later_changes = self.later_changes(one, &restriction);
        let (timestamp, stamped_at, stamp_problem) = self.timestamp(content, judged);
        let proven = proofs
            .iter()
            .filter(|(revision, _)| *revision > one.revision)
            .map(|(_, time)| *time)
            .chain(stamped_at.filter(|_| kind != Kind::DocumentTimestamp))
            .min();
        let signature = signature_check(one, judged, proven, self.file);
        let integrity = integrity_check(one, judged, &later_changes, self.file);
        let trusted = self.trust(judged, kind, proven);
        let certificate = (trusted.check.clone(), trusted.sub_indication);
        let sub_indication = [&integrity, &signature, &certificate]
            .into_iter()
            .find_map(|(check, sub)| sub.filter(|_| !check.ok))
            .or(stamp_problem);
        let timestamp_time = match kind {
            Kind::DocumentTimestamp => judged.stamp.as_ref().map(crate::tsp::CheckedToken::time),
            _ => stamped_at,
        };
        SignatureReport {
            field: one.field.name.clone(),
            kind,
            sub_filter: one.sub_filter(),
            signer: judged.certificate.as_ref().map(signer).unwrap_or_default(),
            claimed_time: one.text("M").and_then(|text| date::parse(&text)).or(judged.claimed_time),
            timestamp_time,
            level: self.level(one, judged, kind, timestamp_time.or(proven), &trusted, proofs),
            coverage: one.coverage,
            revision: one.revision + 1,
            indication: sub_indication.map_or(Indication::TotalPassed, SubIndication::indication),
            sub_indication,
            checks: Checks {
                signature: signature.0,
                integrity: integrity.0,
                certificate: certificate.0,
                timestamp,
            },
            later_changes,
        }
    }

    fn later_changes(&self, one: &Located, restriction: &Restriction) -> Vec<Change> {
        let later: Vec<Step> =
            self.steps.iter().filter(|step| step.revision > one.revision).cloned().collect();
        let mut changes = judge(&later, restriction);
        let last = self.file.revisions().len().saturating_sub(1);
        for &revision in &self.stray {
            let behind_all = revision == last && one.revision == last;
            if revision > one.revision || (behind_all && one.coverage != Coverage::WholeFile) {
                changes.push(Change::forbidden(revision + 1, ChangeKind::Other, "bytes_outside_revision"));
            }
        }
        changes.sort_by_key(|change| change.revision);
        changes
    }

    /// The time-stamp check, the proven time, and what an invalid stamp makes of the signature.
    fn timestamp(
        &self,
        content: &Content,
        judged: &Judged,
    ) -> (Check, Option<OffsetDateTime>, Option<SubIndication>) {
        if let Content::Stamp(_) = content {
            let check = if judged.stamp.is_some() { Check::pass() } else { Check::fail("timestamp_wrong") };
            return (check, judged.stamp.as_ref().map(crate::tsp::CheckedToken::time), None);
        }
        let mut problem = None;
        let mut earliest: Option<OffsetDateTime> = None;
        for stamp in content.timestamps(&self.material.certificates, self.policy.provider) {
            match stamp {
                Ok(token) => {
                    let mut material = self.material.clone();
                    material.add(token.certificates(), Vec::new(), Vec::new());
                    let time = token.time();
                    let trusted = trust::certificate(
                        token.certificate(),
                        Purpose::TimeStamping,
                        &material,
                        self.policy,
                        Some(time),
                    );
                    if trusted.sub_indication.is_none() {
                        earliest = Some(earliest.map_or(time, |known| known.min(time)));
                    } else {
                        problem.get_or_insert(("timestamp_not_trusted", None));
                    }
                }
                // A stamp over something else is not a missing stamp: somebody put it there.
                Err(code) => problem = problem.or(Some((code, Some(SubIndication::FormatFailure)))),
            }
        }
        match (earliest, problem) {
            (time, Some((code, Some(sub)))) => (Check::fail(code), time, Some(sub)),
            (Some(time), _) => (Check::pass(), Some(time), None),
            (None, Some((code, None))) => (Check::fail(code), None, None),
            (None, None) => (Check::fail("no_timestamp"), None, None),
        }
    }

    fn trust(&self, judged: &Judged, kind: Kind, proven: Option<OffsetDateTime>) -> Trusted {
        let Some(certificate) = &judged.certificate else {
            return Trusted::no("signer_certificate_missing", SubIndication::NoSigningCertificateFound);
        };
        let purpose =
            if kind == Kind::DocumentTimestamp { Purpose::TimeStamping } else { Purpose::DocumentSigning };
        trust::certificate(certificate, purpose, &self.material, self.policy, proven)
    }

    fn level(
        &self,
        one: &Located,
        judged: &Judged,
        kind: Kind,
        time: Option<OffsetDateTime>,
        trusted: &Trusted,
        proofs: &[(usize, OffsetDateTime)],
    ) -> Level {
        if kind == Kind::DocumentTimestamp || !judged.baseline || judged.problem.is_some() {
            return Level::None;
        }
        let stored = self.material.store_since.filter(|since| *since >= one.revision);
        match (time, stored) {
            (None, _) => Level::BB,
            (Some(_), Some(since)) if trusted.revocation_known => {
                if proofs.iter().any(|(revision, _)| *revision >= since && *revision > one.revision) {
                    Level::BLta
                } else {
                    Level::BLt
                }
            }
            (Some(_), _) => Level::BT,
        }
    }
}

fn kind(one: &Located) -> Kind {
    if one.is_timestamp() {
        Kind::DocumentTimestamp
    } else if transforms(one).any(|(method, _)| method == b"DocMDP") {
        Kind::Certification
    } else {
        Kind::Approval
    }
}

/// The transform methods of `/Reference` with their parameters.
fn transforms(one: &Located) -> impl Iterator<Item = (Vec<u8>, Dict)> + '_ {
    let references = one.dict.get("Reference").and_then(Object::as_array).unwrap_or_default();
    references.iter().filter_map(Object::as_dict).filter_map(|reference| {
        let method = reference.get("TransformMethod")?.as_name()?.to_vec();
        Some((
            method,
            reference.get("TransformParams").and_then(Object::as_dict).cloned().unwrap_or_default(),
        ))
    })
}

fn restriction(one: &Located) -> Restriction {
    let mut restriction = Restriction { signed: one.revision, ..Restriction::default() };
    let level = |dict: &Dict| dict.get("P").and_then(Object::as_int).and_then(|p| u8::try_from(p).ok());
    for (method, parameters) in transforms(one) {
        match method.as_slice() {
            // ISO 32000-2, table 257: without /P, form filling is allowed.
            b"DocMDP" => restriction.docmdp = Some(level(&parameters).unwrap_or(2)),
            b"FieldMDP" => restriction.locks.extend(lock(&parameters)),
            _ => {}
        }
    }
    if let Some(dict) = one.field.dict.get("Lock").and_then(Object::as_dict) {
        restriction.locks.extend(lock(dict));
        restriction.docmdp = restriction.docmdp.into_iter().chain(level(dict)).min();
    }
    restriction
}

fn lock(dict: &Dict) -> Option<Lock> {
    use crate::changes::strings::text_string;
    let fields = dict.get("Fields").and_then(Object::as_array).unwrap_or_default();
    let names = || fields.iter().filter_map(Object::as_str).map(text_string).collect();
    match dict.get("Action")?.as_name()? {
        b"All" => Some(Lock::All),
        b"Include" => Some(Lock::Include(names())),
        b"Exclude" => Some(Lock::Exclude(names())),
        _ => None,
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
