//! What a signature forbids to those after it (ISO 32000-2, 12.8.2): certification of the whole document (DocMDP,
//! 12.8.2.2) and locks of fields (FieldMDP, 12.8.2.4), as a request asks for it and as a file says it.
//!
//! Documents of the main job ask for nothing: their signatures are approvals, and the last one locks because its field
//! was provisioned with a `/Lock`. Certification brings attacks of its own (annotations, new fields over certified
//! text) and is there for other uses alone.

use serde::{Deserialize, Serialize};

use crate::{
    changes::{Lock, strings::text_string},
    look,
    pdf::{Dict, ObjRef, Object, View},
    prepare::PrepareError,
};

/// What the signature of a request forbids to those after it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// What the `/Lock` of its field says; without one, nothing: an approval.
    #[default]
    AsField,
    /// It certifies the document: only the first signature may.
    Certify(Permission),
    /// It locks fields; a field that has a `/Lock` locks those and no others.
    Lock(Lock),
}

/// What a certification leaves to others (table 257). Long-term data may come in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// P = 1: nothing, not even another signature.
    Nothing,
    /// P = 2: fields that are there may be filled and signed.
    Fill,
    /// P = 3: the same and annotations. Our own difference analysis takes no annotation all the same.
    Annotate,
}

impl Permission {
    /// `/P`.
    pub const fn level(self) -> u8 {
        match self {
            Self::Nothing => 1,
            Self::Fill => 2,
            Self::Annotate => 3,
        }
    }
}

/// What signatures of a file forbid.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Protected {
    /// Whether one of them is a certification.
    pub certified: bool,
    /// The strictest `/P`: of the certification, or of the lock of a signed field.
    pub docmdp: Option<u8>,
    /// What is locked.
    pub locks: Vec<Lock>,
}

impl Protected {
    /// What one signature forbids: its `/Reference` and the `/Lock` of its field, as `view` sees them. What cannot be read
    /// forbids nothing.
    pub(crate) fn by(view: &View<'_, '_>, signature: &Dict, field: &Dict) -> Self {
        let mut found = Self::default();
        let references = view.array(signature, "Reference").unwrap_or_default();
        if references.len() > MOST_LOCKS {
            return Self { certified: true, docmdp: Some(1), locks: vec![Lock::All] };
        }
        for reference in references {
            let Ok(Object::Dict(reference)) = view.resolve(&reference) else { continue };
            let parameters = plain(view, &view.dict(&reference, "TransformParams").unwrap_or_default());
            match view.value(&reference, "TransformMethod").ok().as_ref().and_then(Object::as_name) {
                Some(b"DocMDP") => {
                    // Table 257: without /P, form filling is allowed.
                    found.certified = true;
                    found.docmdp = found.docmdp.into_iter().chain([level(&parameters).unwrap_or(2)]).min();
                }
                Some(b"FieldMDP") => found.add_locks(lock(&parameters)),
                _ => {}
            }
        }
        if let Ok(Object::Dict(own)) = view.value(field, "Lock") {
            found.add(Self::of_lock(&plain(view, &own)));
        }
        found
    }

    /// What a signature will forbid that is asked to protect so and whose field has this lock, without references.
    pub(crate) fn asked(asked: &Protection, own: Option<&Dict>) -> Self {
        let mut found = Self::default();
        match asked {
            Protection::AsField => {}
            Protection::Certify(permission) => {
                found.certified = true;
                found.docmdp = Some(permission.level());
            }
            Protection::Lock(lock) => found.locks.push(lock.clone()),
        }
        if let Some(own) = own {
            found.add(Self::of_lock(own));
        }
        found
    }

    /// What a field's `/Lock`, without references, forbids once it is signed.
    fn of_lock(own: &Dict) -> Self {
        Self { certified: false, docmdp: level(own), locks: lock(own).into_iter().collect() }
    }

    /// Both together.
    pub(crate) fn add(&mut self, other: Self) {
        self.certified |= other.certified;
        self.docmdp = self.docmdp.into_iter().chain(other.docmdp).min();
        self.add_locks(other.locks);
    }

    fn add_locks(&mut self, locks: impl IntoIterator<Item = Lock>) {
        for lock in locks {
            if !self.locks.contains(&lock) {
                self.locks.push(lock);
            }
            if self.is_endless() {
                // Who says so much that nobody can keep it in mind forbids everything.
                self.docmdp = Some(1);
                self.locks = vec![Lock::All];
                return;
            }
        }
    }

    fn is_endless(&self) -> bool {
        self.locks.len() > MOST_LOCKS || self.locks.iter().map(Lock::names).sum::<usize>() > MOST_LOCKED
    }

    /// Whether the field called `name` may be signed, or filled, by another signature; `new_and_shown`: whether that brings
    /// a field to a page. The rules of our difference analysis and of pyHanko, whichever is stricter: a certified page gets
    /// no new field that is seen, a locked name no signature even if its field is new.
    pub(crate) fn allows(&self, name: &str, new_and_shown: bool) -> Result<(), PrepareError> {
        if self.docmdp == Some(1) || (self.docmdp.is_some() && new_and_shown) {
            return Err(PrepareError::CertificationForbids(name.to_owned()));
        }
        if self.locks.iter().any(|lock| lock.covers(name)) {
            return Err(PrepareError::FieldLocked(name.to_owned()));
        }
        Ok(())
    }
}

/// Most locks of a file, and most names in them.
const MOST_LOCKS: usize = 1024;
const MOST_LOCKED: usize = 50_000;

/// The `/Reference` of a signature that is asked to protect so and whose field has this `/Lock`; empty: there is none.
/// `digests`: whether `/DigestMethod` may be named, which PDF/A forbids beside a certification (ISO 19005-2, 6.1.12).
///
/// # Errors
/// [`PrepareError::LockDiffers`] if the field's own lock says something else.
pub(crate) fn references(
    asked: &Protection,
    own: Option<&Dict>,
    root: ObjRef,
    digests: bool,
    field: &str,
) -> Result<Vec<Object>, PrepareError> {
    let differs = || PrepareError::LockDiffers(field.to_owned());
    let mut references = Vec::new();
    let mut digests = digests;
    match (asked, own) {
        (Protection::AsField, _) => {}
        (Protection::Certify(permission), own) => {
            let most = own.and_then(|own| own.get("P")).and_then(Object::as_int);
            if most.is_some_and(|most| i64::from(permission.level()) > most) {
                return Err(differs());
            }
            references.push(doc_mdp(*permission));
            digests = false;
        }
        (Protection::Lock(asked), None) => references.push(field_mdp(&dictionary(asked), root, digests)),
        (Protection::Lock(asked), Some(own)) if lock(own).as_ref() == Some(asked) => {}
        (Protection::Lock(_), Some(_)) => return Err(differs()),
    }
    references.extend(own.map(|own| field_mdp(own, root, digests)));
    Ok(references)
}

/// The reference of a certification.
fn doc_mdp(permission: Permission) -> Object {
    let parameters = Dict::new()
        .with("Type", Object::name("TransformParams"))
        .with("P", i64::from(permission.level()))
        .with("V", Object::name("1.2"));
    let reference = Dict::new()
        .with("Type", Object::name("SigRef"))
        .with("TransformMethod", Object::name("DocMDP"))
        .with("TransformParams", parameters);
    Object::Dict(reference)
}

/// The reference that makes a lock count.
fn field_mdp(lock: &Dict, root: ObjRef, digests: bool) -> Object {
    let mut params = Dict::new()
        .with("Type", Object::name("TransformParams"))
        .with("Action", lock.get("Action").cloned().unwrap_or_else(|| Object::name("All")))
        .with("V", Object::name("1.2"));
    if let Some(fields) = lock.get("Fields") {
        params.set("Fields", fields.clone());
    }
    let mut reference = Dict::new()
        .with("Type", Object::name("SigRef"))
        .with("TransformMethod", Object::name("FieldMDP"))
        .with("TransformParams", params)
        .with("Data", root);
    if digests {
        reference.set("DigestMethod", Object::name("SHA256"));
    }
    Object::Dict(reference)
}

/// A lock as the entries of a dictionary (table 236).
fn dictionary(lock: &Lock) -> Dict {
    let (action, names) = match lock {
        Lock::All => return Dict::new().with("Action", Object::name("All")),
        Lock::Include(names) => ("Include", names),
        Lock::Exclude(names) => ("Exclude", names),
    };
    let names: Vec<Object> = names.iter().map(|name| look::text_object(name)).collect();
    Dict::new().with("Action", Object::name(action)).with("Fields", names)
}

/// `/P` of a lock or of parameters.
fn level(dict: &Dict) -> Option<u8> {
    dict.get("P").and_then(Object::as_int).and_then(|level| u8::try_from(level).ok())
}

/// The lock that such a dictionary says.
fn lock(dict: &Dict) -> Option<Lock> {
    let fields = dict.get("Fields").and_then(Object::as_array).unwrap_or_default();
    let names = || fields.iter().filter_map(Object::as_str).map(text_string).collect();
    match dict.get("Action")?.as_name()? {
        b"All" => Some(Lock::All),
        b"Include" => Some(Lock::Include(names())),
        b"Exclude" => Some(Lock::Exclude(names())),
        _ => None,
    }
}

/// A lock, or parameters, without references: the standard wants locks indirect (table 235), many are not.
pub(crate) fn plain(view: &View<'_, '_>, dict: &Dict) -> Dict {
    let mut plain = Dict::new();
    for (key, value) in dict.iter() {
        let Ok(value) = view.resolve(value) else { continue };
        let value = match value {
            Object::Array(items) => {
                Object::Array(items.iter().filter_map(|item| view.resolve(item).ok()).collect())
            }
            other => other,
        };
        plain.push(key.to_vec(), value);
    }
    plain.tidy();
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_lock_survives_its_dictionary() {
        for one in [Lock::All, Lock::Include(named(&["Số", "A.b"])), Lock::Exclude(named(&["DocDate"]))] {
            assert_eq!(lock(&dictionary(&one)), Some(one));
        }
        assert_eq!(lock(&Dict::new().with("Action", Object::name("Other"))), None);
    }

    #[test]
    fn a_fields_own_lock_is_followed() {
        let (root, all) = (ObjRef::new(1), dictionary(&Lock::All).with("P", 2));
        let asked = |asked: &Protection| references(asked, Some(&all), root, true, "Seal");
        assert_eq!(asked(&Protection::AsField).unwrap().len(), 1);
        assert_eq!(asked(&Protection::Lock(Lock::All)).unwrap(), asked(&Protection::AsField).unwrap());
        assert_eq!(asked(&Protection::Certify(Permission::Fill)).unwrap().len(), 2);
        for more in
            [Protection::Certify(Permission::Annotate), Protection::Lock(Lock::Include(named(&["A"])))]
        {
            assert_eq!(asked(&more), Err(PrepareError::LockDiffers("Seal".to_owned())), "{more:?}");
        }
        assert!(references(&Protection::AsField, None, root, true, "Seal").unwrap().is_empty());
    }

    #[test]
    fn beside_a_certification_no_digest_method_is_named() {
        let all = dictionary(&Lock::All);
        for (asked, digests) in
            [(Protection::Certify(Permission::Nothing), true), (Protection::AsField, false)]
        {
            for reference in references(&asked, Some(&all), ObjRef::new(1), digests, "Seal").unwrap() {
                assert!(!reference.as_dict().unwrap().contains("DigestMethod"));
            }
        }
    }

    #[test]
    fn the_strictest_binds() {
        let mut both = Protected { certified: true, docmdp: Some(3), locks: vec![Lock::All] };
        both.add(Protected { certified: false, docmdp: Some(1), locks: vec![Lock::All] });
        assert_eq!((both.certified, both.docmdp, both.locks.len()), (true, Some(1), 1));
        assert_eq!(both.allows("A", false), Err(PrepareError::CertificationForbids("A".to_owned())));
        let filling = Protected { certified: true, docmdp: Some(2), locks: Vec::new() };
        assert_eq!(filling.allows("A", false), Ok(()));
        assert_eq!(filling.allows("A", true), Err(PrepareError::CertificationForbids("A".to_owned())));
        let locked = Protected { locks: vec![Lock::Exclude(named(&["A"]))], ..Protected::default() };
        assert_eq!(locked.allows("A", false), Ok(()));
        assert_eq!(locked.allows("B", false), Err(PrepareError::FieldLocked("B".to_owned())));
    }
}
