//! The generic policy: what a signature allows to happen after it.

use serde::{Deserialize, Serialize};

use super::{Change, ChangeKind, Fact, Step, words};

/// What a signature itself forbids beyond the allow-list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restriction {
    /// `/P` of its DocMDP transform (ISO 32000-2, 12.8.2.2), or of the lock of its field.
    pub docmdp: Option<u8>,
    /// Index of the revision that it signs: what was there then may not be taken away.
    pub signed: usize,
    /// Fields it locks (12.8.2.4).
    pub locks: Vec<Lock>,
}

/// Fields that a FieldMDP transform locks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// All fields.
    All,
    /// The fields named, and those below them.
    Include(Vec<String>),
    /// All fields but those named.
    Exclude(Vec<String>),
}

impl Lock {
    /// How many names it lists.
    pub(crate) fn names(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Include(names) | Self::Exclude(names) => names.len(),
        }
    }

    /// Whether the field with this full name is locked. A name covers what is below it, never what merely begins
    /// with the same letters.
    pub fn covers(&self, field: &str) -> bool {
        let listed = |names: &[String]| {
            names.iter().any(|name| {
                field.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        match self {
            Self::All => true,
            Self::Include(names) => listed(names),
            Self::Exclude(names) => !listed(names),
        }
    }
}

impl Restriction {
    /// How many names a field is compared with.
    pub(crate) fn names(&self) -> usize {
        self.locks.iter().map(Lock::names).sum()
    }
}

/// What the steps are to a signature with these restrictions.
pub fn judge(steps: &[Step], restriction: &Restriction) -> Vec<Change> {
    steps
        .iter()
        .flat_map(|step| step.facts.iter().map(move |fact| (step.revision + 1, fact)))
        .map(|(revision, fact)| change(revision, fact, restriction))
        .collect()
}

fn change(revision: usize, fact: &Fact, restriction: &Restriction) -> Change {
    let kind = fact.kind();
    match refusal(fact, restriction) {
        None => Change { revision, kind, allowed: true, code: fact.code(), what: fact.words() },
        Some((code, subject)) => {
            Change { revision, kind, allowed: false, code, what: words::forbidden(code, subject) }
        }
    }
}

fn refusal<'a>(fact: &'a Fact, restriction: &Restriction) -> Option<(&'static str, &'a str)> {
    let locked = |field: &str| restriction.locks.iter().any(|lock| lock.covers(field));
    let certified = restriction.docmdp.is_some();
    let frozen = restriction.docmdp == Some(1);
    match fact {
        Fact::Forbidden { code, subject, .. } => Some((code, subject)),
        Fact::Filled { field, .. } | Fact::Signed { field, .. } if frozen => {
            Some(("after_certification", field))
        }
        // A lock of all fields, or of all but some, speaks of those to come as well.
        Fact::Filled { field, .. } | Fact::Signed { field, .. } | Fact::NewSignatureField { field, .. }
            if locked(field) =>
        {
            Some(("field_locked", field))
        }
        Fact::SecurityStoreLost { since } if *since <= restriction.signed => {
            Some(("security_store_changed", "DSS"))
        }
        Fact::NewSignatureField { field, .. } if frozen => Some(("after_certification", field)),
        // The "sneaky signature": a visible field that covers certified text.
        Fact::Signed { field, new_field: true, visible: true, .. }
        | Fact::NewSignatureField { field, visible: true }
        | Fact::Stamped { field, visible: true }
            if certified =>
        {
            Some(("after_certification", field))
        }
        _ => None,
    }
}

impl Change {
    /// A change that no signature allows, found outside the analysis of objects.
    pub(crate) fn forbidden(revision: usize, kind: ChangeKind, code: &'static str) -> Self {
        Self { revision, kind, allowed: false, code, what: words::forbidden(code, "") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_covers_children_but_not_namesakes() {
        let lock = Lock::Include(vec!["Signature 1".into(), "Form".into()]);
        assert!(lock.covers("Signature 1"));
        assert!(!lock.covers("Signature 10"));
        assert!(lock.covers("Form.Name"));
        assert!(!Lock::Exclude(vec!["Form".into()]).covers("Form.Name"));
        assert!(Lock::All.covers("anything"));
    }

    #[test]
    fn a_lock_of_all_fields_is_one_of_those_to_come() {
        let signed = |new_field| Fact::Signed { field: "B".into(), new_field, visible: false, object: 9 };
        let field = Fact::NewSignatureField { field: "B".into(), visible: false };
        let stamped = Fact::Stamped { field: "B".into(), visible: false };
        for (lock, allowed) in [
            (Lock::All, [false, false, false, true]),
            (Lock::Exclude(vec!["B".into()]), [true; 4]),
            (Lock::Exclude(vec!["A".into()]), [false, false, false, true]),
            (Lock::Include(vec!["A".into()]), [true; 4]),
        ] {
            let facts = vec![signed(false), signed(true), field.clone(), stamped.clone()];
            let steps = vec![Step { revision: 1, facts, replaced: vec![] }];
            let restriction = Restriction { locks: vec![lock.clone()], ..Restriction::default() };
            let changes = judge(&steps, &restriction);
            assert_eq!(changes.iter().map(|c| c.allowed).collect::<Vec<_>>(), allowed, "{lock:?}");
        }
    }

    #[test]
    fn certification_with_p1_allows_only_long_term_data() {
        let filled = Fact::Filled { field: "A".into(), value: "1".into(), object: 9 };
        let steps = vec![Step { revision: 1, facts: vec![filled, Fact::SecurityStore], replaced: vec![] }];
        let changes = judge(&steps, &Restriction { docmdp: Some(1), ..Restriction::default() });
        assert_eq!(changes.iter().map(|c| c.allowed).collect::<Vec<_>>(), [false, true]);
        assert_eq!(changes.first().map(|c| (c.revision, c.code)), Some((2, "after_certification")));
        assert!(judge(&steps, &Restriction::default()).iter().all(|change| change.allowed));
    }
}
