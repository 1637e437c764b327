//! Status by CRLs: the algorithm of RFC 5280 6.3.3, with distribution points, reasons, indirect lists and deltas.

use super::super::{PathInputs, Purpose};
use super::{Effect, Evidence, RevocationStatus as Status, Signing, Validation, covers, effect};
use crate::asn1::{Raw, wrap};
use crate::crl::{Covers, Crl, RevocationReason, Revoked, Scope};
use crate::crypto::Weakness;
use crate::x509::{Certificate, DistributionPoint, GeneralName, KeyUsage, Name};

/// Bits 1 to 8 of `ReasonFlags`: every reason there is.
const ALL_REASONS: u16 = 0b1_1111_1110;

pub(super) fn status(validation: Validation<'_>, certificate: &Certificate, above: &[Certificate]) -> Status {
    let mut covered = 0;
    let mut used = Vec::new();
    let mut weak = None;
    // The point that is simply its issuer comes last.
    let issuer = GeneralName::Directory(certificate.issuer().clone());
    let own = DistributionPoint { names: vec![issuer], ..DistributionPoint::default() };
    for point in certificate.extensions().crl_distribution_points.iter().chain([&own]) {
        if !validation.effort.spend(1 + validation.inputs.revocation.crls.len() / 16) {
            return Status::Unknown;
        }
        for crl in validation.inputs.revocation.crls.iter().filter(|crl| !crl.is_delta()) {
            let Some(reasons) = in_scope(validation, crl, point, certificate) else { continue };
            match one_list(validation, certificate, above, crl) {
                Outcome::Revoked(revoked) => return Status::Revoked(revoked),
                Outcome::Good(delta) => {
                    covered |= reasons;
                    used.push(crl.clone());
                    used.extend(delta);
                }
                Outcome::Weak(weakness) => weak = Some(weakness),
                Outcome::Nothing => {}
            }
        }
    }
    if covered == ALL_REASONS {
        Status::Good(Evidence::Crls(used))
    } else {
        weak.map_or(Status::Unknown, Status::Weak)
    }
}

/// 6.3.3 (b), (d): the reasons that `crl` covers for `certificate` as seen from `point`; `None` if it is out of scope.
fn in_scope(
    validation: Validation<'_>,
    crl: &Crl,
    point: &DistributionPoint,
    certificate: &Certificate,
) -> Option<u16> {
    if !crl.is_understood() {
        return None;
    }
    let scope = crl.scope();
    let issued_by = |name: &GeneralName| matches!(name, GeneralName::Directory(name) if name == crl.issuer());
    let listed = scope.map_or(0, |scope| names(&scope.point));
    if !validation.effort.spend(point.crl_issuer.len() / 16 + listed * names(point) / 32) {
        return None;
    }
    let right_issuer = if point.crl_issuer.is_empty() {
        crl.issuer() == certificate.issuer()
    } else {
        point.crl_issuer.iter().any(issued_by) && scope.is_some_and(|scope| scope.indirect)
    };
    if !right_issuer {
        return None;
    }
    let Some(scope) = scope else { return Some(point.reasons.unwrap_or(ALL_REASONS) & ALL_REASONS) };
    let is_ca = certificate.is_ca();
    let covered = match scope.covers {
        Covers::All => true,
        Covers::Users => !is_ca,
        Covers::Authorities => is_ca,
        Covers::AttributeCertificates => false,
    };
    if !covered || !names_meet(scope, crl, point, certificate) {
        return None;
    }
    Some(point.reasons.unwrap_or(ALL_REASONS) & scope.point.reasons.unwrap_or(ALL_REASONS) & ALL_REASONS)
}

/// About how many names are compared for a point.
fn names(point: &DistributionPoint) -> usize {
    let relative = point.relative.as_ref().map_or(0, |name| 1 + name.len() / 16);
    point.names.len() + point.crl_issuer.len() + relative
}

/// 6.3.3 (b)(2)(i): if the list names a distribution point, one of its names is one of the certificate's point.
fn names_meet(scope: &Scope, crl: &Crl, point: &DistributionPoint, certificate: &Certificate) -> bool {
    if scope.point.names.is_empty() && scope.point.relative.is_none() {
        return true;
    }
    let lists = full_names(&scope.point, crl.issuer());
    let relative_to = point.crl_issuer.iter().find_map(|name| match name {
        GeneralName::Directory(name) => Some(name),
        _ => None,
    });
    let mut wanted = full_names(point, relative_to.unwrap_or(certificate.issuer()));
    if wanted.is_empty() {
        wanted.clone_from(&point.crl_issuer);
    }
    lists.iter().any(|name| wanted.contains(name))
}

fn full_names(point: &DistributionPoint, relative_to: &Name) -> Vec<GeneralName> {
    let mut names = point.names.clone();
    if let Some(relative) = &point.relative
        && let Ok(base) = Raw::only(relative_to.as_der()).and_then(Raw::any)
    {
        let der = wrap(0x30, &[base.value(), &wrap(0x31, relative)].concat());
        names.extend(Raw::only(&der).and_then(Name::from_raw).map(GeneralName::Directory));
    }
    names
}

enum Outcome {
    Revoked(Revoked),
    Good(Option<Crl>),
    Weak(Weakness),
    Nothing,
}

fn one_list(
    validation: Validation<'_>,
    certificate: &Certificate,
    above: &[Certificate],
    crl: &Crl,
) -> Outcome {
    let Some((signer, by_path)) = signer(validation, above, crl) else { return Outcome::Nothing };
    let find = |crl: &Crl| crl.lookup(certificate.issuer(), certificate.serial());
    let delta = newest_delta(validation, crl, &signer);
    let changed = match delta.as_ref().map(find) {
        Some(Err(_)) => return Outcome::Nothing,
        Some(Ok(entry)) => entry,
        None => None,
    };
    let (Ok(listed), newest) = (find(crl), delta.as_ref().unwrap_or(crl)) else { return Outcome::Nothing };
    let entry = match changed {
        Some(Revoked { reason: RevocationReason::RemoveFromCrl, .. }) => None,
        Some(revoked) => Some(revoked),
        None => listed,
    };
    let (this_update, until) = (newest.this_update(), newest.next_update());
    let good = match entry {
        Some(revoked) => match effect(validation, revoked, this_update, until) {
            Effect::Revoked => return Outcome::Revoked(revoked),
            Effect::RevokedLater => true,
            Effect::Nothing => false,
        },
        None => covers(validation, certificate, this_update, until),
    };
    if !good {
        return Outcome::Nothing;
    }
    let outdated = |list: &Crl| {
        let weaknesses = [list.weaknesses(&signer), by_path.clone()].concat();
        validation.outdated(|| list.sha256(), &weaknesses)
    };
    match outdated(crl).or_else(|| delta.as_ref().and_then(outdated)) {
        Some(weakness) => Outcome::Weak(weakness),
        None => Outcome::Good(delta),
    }
}

/// 6.3.3 (c): a delta to `crl` of the same issuer, scope and key.
fn newest_delta(validation: Validation<'_>, crl: &Crl, signer: &Certificate) -> Option<Crl> {
    let number = integer(crl.number()?);
    if !validation.effort.spend(1 + validation.inputs.revocation.crls.len() / 16) {
        return None;
    }
    let fits = |delta: &&Crl| {
        let Some((base, own)) = delta.delta_base().zip(delta.number()) else { return false };
        delta.is_understood()
            && delta.issuer() == crl.issuer()
            && delta.scope() == crl.scope()
            && integer(base) <= number
            && number <= integer(own)
            && delta.this_update() <= validation.inputs.now.saturating_add(super::CLOCK_SKEW)
            && delta.next_update().is_some_and(|until| until >= validation.inputs.at)
            && validation.is_list_signed(delta, signer)
    };
    let deltas = validation.inputs.revocation.crls.iter().filter(fits);
    deltas.max_by_key(|delta| delta.this_update()).cloned()
}

/// 6.3.3 (f), (g): who signed the list, may sign lists, and leads to the same anchor; with what is weak on the way there,
/// as far as it is no part of the chain itself.
fn signer(
    validation: Validation<'_>,
    above: &[Certificate],
    crl: &Crl,
) -> Option<(Certificate, Vec<Weakness>)> {
    let may_sign = |certificate: &&Certificate| {
        let usage = certificate.extensions().key_usage;
        certificate.subject() == crl.issuer()
            && usage.is_none_or(|usage| usage.allows(KeyUsage::CRL_SIGN))
            && validation.is_list_signed(crl, certificate)
    };
    // Part of the chain itself: checked there.
    if let Some(link) = above.iter().find(may_sign) {
        return Some((link.clone(), Vec::new()));
    }
    let inputs = PathInputs { purpose: Purpose::CrlSigning, ..validation.inputs.clone() };
    let nested = Validation { inputs: &inputs, depth: validation.depth + 1, ..validation };
    if nested.depth > 2 {
        return None;
    }
    if !validation.effort.spend(1 + validation.inputs.candidates.len() / 16) {
        return None;
    }
    for candidate in validation.inputs.candidates.iter().filter(may_sign) {
        let key = (candidate.clone(), nested.depth);
        let known = validation.known.signers.borrow().get(&key).cloned();
        let signing = known.unwrap_or_else(|| {
            let signing = nested.run(candidate).ok().map(|path| Signing {
                anchor: path.anchor().cloned(),
                weaknesses: path.weaknesses.iter().map(|(_, weakness)| *weakness).collect(),
            });
            validation.known.signers.borrow_mut().insert(key, signing.clone());
            signing
        });
        if let Some(Signing { anchor, weaknesses }) = signing
            && anchor.as_ref() == above.last()
        {
            return Some((candidate.clone(), weaknesses));
        }
    }
    None
}

/// Big-endian content bytes as something that compares like the number (CRL numbers are not negative).
fn integer(content: &[u8]) -> (usize, &[u8]) {
    let start = content.iter().position(|byte| *byte != 0).unwrap_or(content.len());
    let digits = content.get(start..).unwrap_or_default();
    (digits.len(), digits)
}
