//! The rules of RFC 5280 6.1 over one chain whose signatures were checked while it was built.

use super::names::NameState;
use super::policy::PolicyState;
use super::{Constraint, PathInputs, PathProblem, Purpose, Validation};
use crate::asn1::Oid;
use crate::crypto::Weakness;
use crate::oid;
use crate::x509::{Certificate, KeyUsage};

type Problem = (usize, PathProblem);

/// Checks `chain` (leaf first, anchor last); the policies it is valid for.
pub(super) fn check(chain: &[Certificate], validation: Validation<'_>) -> Result<Vec<Oid>, Problem> {
    let inputs = validation.inputs;
    let Some((anchor, below)) = chain.split_last() else { return Err((0, PathProblem::NoChain)) };
    check_validity(chain, inputs)?;
    if below.is_empty() {
        // The leaf itself is trusted: no path to check, only its use.
        check_leaf(anchor, inputs.purpose).map_err(|rule| (0, rule.into()))?;
        return Ok(Vec::new());
    }
    // An anchor is a name and a key; but a version 3 root that says it is no CA, or signs no certificates, is none.
    if anchor.version() == 3 {
        check_authority(anchor).map_err(|rule| (below.len(), rule.into()))?;
    }
    let mut state = State {
        policy: PolicyState::new(below.len(), &inputs.policies),
        names: NameState::new(validation.effort),
        left: inputs.max_intermediates,
    };
    // The anchor's own constraints bind what is below it (RFC 5937).
    state.names.constrain(anchor.extensions().name_constraints.as_ref());
    let mut issuer = anchor;
    for (at, certificate) in below.iter().enumerate().rev() {
        let is_leaf = at == 0;
        state.process(certificate, issuer, is_leaf, validation).map_err(|rule| (at, rule.into()))?;
        if is_leaf {
            check_leaf(certificate, inputs.purpose).map_err(|rule| (at, rule.into()))?;
        } else {
            state.prepare(certificate).map_err(|rule| (at, rule.into()))?;
        }
        issuer = certificate;
    }
    let leaf = below.first().unwrap_or(anchor);
    state.policy.finish(leaf, &inputs.policies).map_err(|rule| (0, rule.into()))
}

/// Weak signatures (not the anchor's own) and keys.
pub(super) fn weaknesses(chain: &[Certificate]) -> Vec<(usize, Weakness)> {
    let mut found = Vec::new();
    for (at, pair) in chain.windows(2).enumerate() {
        let [certificate, issuer] = pair else { continue };
        let weaknesses = issuer.weaknesses_of(certificate.signature_algorithm());
        found.extend(weaknesses.into_iter().map(|weakness| (at, weakness)));
    }
    found
}

struct State<'c> {
    policy: PolicyState,
    names: NameState<'c>,
    left: usize,
}

impl<'c> State<'c> {
    /// 6.1.3: basic processing of one certificate.
    fn process(
        &mut self,
        certificate: &Certificate,
        issuer: &Certificate,
        is_leaf: bool,
        validation: Validation<'_>,
    ) -> Result<(), Constraint> {
        if !validation.is_signed(certificate, issuer) {
            return Err(Constraint::Signature);
        }
        let extensions = certificate.extensions();
        let policies = extensions.policies.as_ref().map_or(0, Vec::len) + extensions.policy_mappings.len();
        if !validation.effort.spend(1 + policies / 2) {
            return Err(Constraint::Policy);
        }
        if certificate.issuer() != issuer.subject() {
            return Err(Constraint::Names);
        }
        if is_leaf || !certificate.is_self_issued() {
            self.names.check(certificate)?;
        }
        self.policy.process(certificate, is_leaf)
    }

    /// 6.1.4: from an intermediate certificate to the next.
    fn prepare(&mut self, certificate: &'c Certificate) -> Result<(), Constraint> {
        let extensions = certificate.extensions();
        self.policy.prepare(certificate)?;
        self.names.constrain(extensions.name_constraints.as_ref());
        check_authority(certificate)?;
        if !certificate.is_self_issued() {
            self.left = self.left.checked_sub(1).ok_or(Constraint::PathLength)?;
        }
        if let Some(limit) = extensions.basic_constraints.and_then(|constraints| constraints.path_length) {
            self.left = self.left.min(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        if extensions.unknown_critical.is_empty() { Ok(()) } else { Err(Constraint::UnknownExtension) }
    }
}

/// 6.1.4 (k), (n), and 4.1.2.6: an issuer has a name.
fn check_authority(certificate: &Certificate) -> Result<(), Constraint> {
    if !certificate.is_ca() || certificate.subject().is_empty() {
        return Err(Constraint::NotCa);
    }
    let usage = certificate.extensions().key_usage;
    if usage.is_some_and(|usage| !usage.allows(KeyUsage::KEY_CERT_SIGN)) {
        return Err(Constraint::KeyCertSign);
    }
    Ok(())
}

fn check_validity(chain: &[Certificate], inputs: &PathInputs<'_>) -> Result<(), Problem> {
    for (at, certificate) in chain.iter().enumerate().rev() {
        if inputs.at < certificate.not_before() {
            return Err((at, PathProblem::NotYetValid(certificate.not_before())));
        }
        if inputs.at > certificate.not_after() {
            return Err((at, PathProblem::Expired(certificate.not_after())));
        }
    }
    Ok(())
}

fn check_leaf(leaf: &Certificate, purpose: Purpose) -> Result<(), Constraint> {
    let extensions = leaf.extensions();
    if !extensions.unknown_critical.is_empty() {
        return Err(Constraint::UnknownExtension);
    }
    let usage = |bits: KeyUsage| extensions.key_usage.is_none_or(|usage| usage.allows(bits));
    let purposes = extensions.extended_key_usage.as_ref();
    let signs = usage(KeyUsage::DIGITAL_SIGNATURE) || usage(KeyUsage::NON_REPUDIATION);
    let holds = match purpose {
        Purpose::Any => true,
        Purpose::DocumentSigning => {
            let other = [oid::KP_SERVER_AUTH, oid::KP_TIME_STAMPING, oid::KP_OCSP_SIGNING];
            signs && purposes.is_none_or(|list| list.purposes.iter().any(|purpose| !other.contains(purpose)))
        }
        Purpose::TimeStamping => {
            signs && purposes.is_some_and(crate::x509::ExtendedKeyUsage::is_time_stamping_only)
        }
        Purpose::OcspSigning => {
            signs && purposes.is_some_and(crate::x509::ExtendedKeyUsage::allows_ocsp_signing)
        }
        Purpose::CrlSigning => usage(KeyUsage::CRL_SIGN),
        Purpose::Extended(purpose) => purposes.is_none_or(|list| list.allows(purpose)),
    };
    if holds { Ok(()) } else { Err(Constraint::Purpose) }
}

impl From<Constraint> for PathProblem {
    fn from(rule: Constraint) -> Self {
        Self::Constraint(rule)
    }
}
