//! Name constraints (RFC 5280 4.2.1.10, 6.1.3 b and c, 6.1.4 g).
//!
//! Every CA may narrow, none may widen: a name must lie in a permitted subtree of each CA that has one for its form, and
//! in no excluded one. What cannot be compared is refused.

use super::Constraint;
use crate::crypto::Effort;
use crate::x509::{Certificate, GeneralName, NameConstraints};

/// Most comparisons in one path; more is a chain made to exhaust us.
const MAX_COMPARISONS: usize = 200_000;

/// How much of a name is compared at the cost of one comparison.
const LENGTH: usize = 256;

pub(super) struct NameState<'c> {
    permitted: Vec<&'c [GeneralName]>,
    excluded: Vec<&'c GeneralName>,
    /// What it costs to compare one short name with all of them.
    bases: usize,
    comparisons: usize,
    effort: &'c Effort,
}

impl<'c> NameState<'c> {
    pub(super) fn new(effort: &'c Effort) -> Self {
        Self { permitted: Vec::new(), excluded: Vec::new(), bases: 0, comparisons: 0, effort }
    }

    /// Takes in the constraints of a CA.
    pub(super) fn constrain(&mut self, constraints: Option<&'c NameConstraints>) {
        let Some(constraints) = constraints else { return };
        if !constraints.permitted.is_empty() {
            self.permitted.push(&constraints.permitted);
        }
        self.excluded.extend(&constraints.excluded);
        self.bases += constraints.permitted.iter().chain(&constraints.excluded).map(cost).sum::<usize>();
    }

    /// Checks every name of a certificate.
    pub(super) fn check(&mut self, certificate: &Certificate) -> Result<(), Constraint> {
        if self.permitted.is_empty() && self.excluded.is_empty() {
            return Ok(());
        }
        if !certificate.subject().is_empty() {
            self.check_name(&GeneralName::Directory(certificate.subject().clone()))?;
        }
        let alternatives = &certificate.extensions().subject_alt_names;
        for name in alternatives {
            self.check_name(name)?;
        }
        // Old certificates have the address in the subject, where the constraint holds as well.
        for address in certificate.subject().emails() {
            self.check_name(&GeneralName::Email(address.to_owned()))?;
        }
        Ok(())
    }

    fn check_name(&mut self, name: &GeneralName) -> Result<(), Constraint> {
        let comparisons = self.bases.saturating_mul(cost(name));
        self.comparisons += comparisons;
        if self.comparisons > MAX_COMPARISONS || !self.effort.spend(1 + comparisons / 8) {
            return Err(Constraint::Names);
        }
        let mut excluded = self.excluded.iter().filter(|base| same_form(name, base));
        if excluded.any(|base| lies_in(name, base, Side::Excluded) != Some(false)) {
            return Err(Constraint::Names);
        }
        for list in &self.permitted {
            let mut bases = list.iter().filter(|base| same_form(name, base)).peekable();
            if bases.peek().is_some() && !bases.any(|base| lies_in(name, base, Side::Permitted) == Some(true))
            {
                return Err(Constraint::Names);
            }
        }
        Ok(())
    }
}

/// Comparisons of a short name that comparing this one costs.
fn cost(name: &GeneralName) -> usize {
    let length = match name {
        GeneralName::Email(name) | GeneralName::Dns(name) | GeneralName::Uri(name) => name.len(),
        GeneralName::Directory(name) => name.as_der().len(),
        _ => 0,
    };
    1 + length / LENGTH
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Permitted,
    Excluded,
}

fn same_form(name: &GeneralName, base: &GeneralName) -> bool {
    match (name, base) {
        (GeneralName::Other(a), GeneralName::Other(b)) => a == b,
        _ => std::mem::discriminant(name) == std::mem::discriminant(base),
    }
}

/// Whether `name` lies in the subtree of `base`, both of one form; `None` if that cannot be told.
fn lies_in(name: &GeneralName, base: &GeneralName, side: Side) -> Option<bool> {
    match (name, base) {
        (GeneralName::Directory(name), GeneralName::Directory(base)) => Some(name.within(base)),
        (GeneralName::Dns(name), GeneralName::Dns(base)) => dns(name, base, side),
        (GeneralName::Email(name), GeneralName::Email(base)) => email(name, base),
        (GeneralName::Uri(name), GeneralName::Uri(base)) => host(uri_host(name)?, base),
        (GeneralName::Ip(name), GeneralName::Ip(base)) => ip(name, base),
        _ => None,
    }
}

fn dns(name: &str, base: &str, side: Side) -> Option<bool> {
    if base.contains('*') || !is_host(base.strip_prefix('.').unwrap_or(base), true) {
        return None;
    }
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    let Some(rest) = name.strip_prefix("*.") else {
        return if is_host(&name, false) { Some(within_domain(&name, &base)) } else { None };
    };
    // A wildcard is all the names it stands for: excluded if any of them is, permitted only if all are.
    let all_inside = within_domain(rest, &base) || rest == base.trim_start_matches('.');
    let some_inside = base.trim_start_matches('.').strip_suffix(rest).is_some_and(|left| left.ends_with('.'));
    Some(all_inside || (side == Side::Excluded && some_inside))
}

/// The host itself or below it; `.base` only below it; the empty base is everything.
fn within_domain(name: &str, base: &str) -> bool {
    if base.is_empty() {
        return true;
    }
    match base.strip_prefix('.') {
        Some(_) => name.ends_with(base),
        None => name == base || name.strip_suffix(base).is_some_and(|left| left.ends_with('.')),
    }
}

/// `user@host` is that mailbox, `host` every mailbox on that host, `.domain` every mailbox below it.
fn email(name: &str, base: &str) -> Option<bool> {
    let (user, domain) = name.rsplit_once('@')?;
    if user.is_empty() || !is_host(domain, false) {
        return None;
    }
    match base.rsplit_once('@') {
        Some((base_user, base_host)) => {
            if base_user.is_empty() || !is_host(base_host, false) {
                return None;
            }
            // RFC 5280 7.5: the local part as it is, the host without regard to case.
            Some(user == base_user && domain.eq_ignore_ascii_case(base_host))
        }
        None => host(domain, base),
    }
}

/// Exactly this host, or below `.domain` (RFC 5280 4.2.1.10 for URIs and mailboxes).
fn host(name: &str, base: &str) -> Option<bool> {
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    match base.strip_prefix('.') {
        Some(domain) => is_host(domain, false).then(|| name.ends_with(&base)),
        None => is_host(&base, false).then(|| name == base),
    }
}

/// The host of a URI with an authority; `None` for others and for addresses, which cannot be compared with names.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?;
    let is_address = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_host(host, false) && !is_address).then_some(host)
}

fn is_host(name: &str, or_empty: bool) -> bool {
    if name.is_empty() {
        return or_empty;
    }
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        !label.is_empty() && label.len() <= 63 && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Address and mask, 4 or 16 bytes each; a mask with holes says nothing.
fn ip(name: &[u8], base: &[u8]) -> Option<bool> {
    let (address, mask) = base.split_at_checked(base.len() / 2)?;
    if !matches!(base.len(), 8 | 32) || !matches!(name.len(), 4 | 16) {
        return None;
    }
    let ones = mask.iter().map(|byte| byte.leading_ones()).take_while(|n| *n == 8).count();
    let tail = mask.get(ones..).unwrap_or_default();
    let whole = tail.first().is_none_or(|byte| byte.leading_ones() + byte.trailing_zeros() >= 8)
        && tail.iter().skip(1).all(|byte| *byte == 0);
    if !whole {
        return None;
    }
    let masked = |bytes: &[u8]| bytes.iter().zip(mask).map(|(byte, mask)| byte & mask).collect::<Vec<_>>();
    Some(name.len() == address.len() && masked(name) == masked(address))
}

#[cfg(test)]
mod tests {
    use super::{Side, dns, email, ip, lies_in};
    use crate::x509::GeneralName;

    #[test]
    fn hosts() {
        let permitted = |name, base| dns(name, base, Side::Permitted);
        assert_eq!(permitted("a.example.vn", "example.vn"), Some(true));
        assert_eq!(permitted("EXAMPLE.vn", "example.VN"), Some(true));
        assert_eq!(permitted("badexample.vn", "example.vn"), Some(false));
        assert_eq!(permitted("example.vn", ".example.vn"), Some(false));
        assert_eq!(permitted("x", "*.vn"), None);
        assert_eq!(permitted("*.example.vn", "a.example.vn"), Some(false));
        assert_eq!(dns("*.example.vn", "a.example.vn", Side::Excluded), Some(true));
        assert_eq!(permitted("*.example.vn", "example.vn"), Some(true));
    }

    #[test]
    fn mailboxes() {
        assert_eq!(email("an@example.vn", "example.vn"), Some(true));
        assert_eq!(email("an@sub.example.vn", "example.vn"), Some(false));
        assert_eq!(email("an@sub.example.vn", ".example.vn"), Some(true));
        assert_eq!(email("an@EXAMPLE.vn", "an@example.VN"), Some(true));
        assert_eq!(email("An@example.vn", "an@example.vn"), Some(false));
        assert_eq!(email("nobody", "example.vn"), None);
    }

    #[test]
    fn addresses() {
        assert_eq!(ip(&[10, 1, 2, 3], &[10, 1, 0, 0, 255, 255, 0, 0]), Some(true));
        assert_eq!(ip(&[10, 2, 2, 3], &[10, 1, 0, 0, 255, 255, 0, 0]), Some(false));
        assert_eq!(ip(&[10, 2, 2, 3], &[10, 1, 0, 0, 255, 0, 255, 0]), None);
        assert_eq!(ip(&[10, 2, 2, 3], &[10, 1, 0, 0, 0xf1, 0, 0, 0]), None);
    }

    #[test]
    fn uris() {
        let uri = |text: &str| GeneralName::Uri(text.into());
        let within = |name, base| lies_in(&uri(name), &uri(base), Side::Permitted);
        assert_eq!(within("http://user@a.example.vn:80/x?y", ".example.vn"), Some(true));
        assert_eq!(within("http://example.vn/", "example.vn"), Some(true));
        assert_eq!(within("http://10.0.0.1/", "example.vn"), None);
        assert_eq!(within("urn:x", "example.vn"), None);
    }
}
