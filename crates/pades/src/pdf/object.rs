//! The nine kinds of objects (ISO 32000-2, 7.3) as plain values.
//!
//! Strings and names are bytes after decoding. A stream is its dictionary and the place of its raw data in the file;
//! the data itself is read only when someone asks. A dictionary keeps the order of its keys, so that an object
//! that is written again differs only where it was meant to.

use std::collections::HashMap;

/// A reference `12 0 R`, or the identity of an indirect object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ObjRef {
    /// Object number, from 1.
    pub number: u32,
    /// Generation, 0 in all files of today.
    pub generation: u16,
}

impl ObjRef {
    /// Object `number` of generation 0.
    pub const fn new(number: u32) -> Self {
        Self { number, generation: 0 }
    }
}

impl std::fmt::Display for ObjRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} R", self.number, self.generation)
    }
}

/// One object. Two are equal if they mean the same, however they are written: `1` and `1.0`, `(a)` and `<61>`,
/// dictionaries in whatever order.
#[derive(Debug, Clone)]
pub enum Object {
    /// `null`, and every reference to an object that does not exist.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction, or too large for an integer.
    Real(f64),
    /// `/Name`, without the slash, `#xx` decoded.
    Name(Vec<u8>),
    /// `(literal)` or `<hex>`, decoded.
    Str(Vec<u8>),
    /// `[ … ]`
    Array(Vec<Object>),
    /// `<< … >>`
    Dict(Dict),
    /// `<< … >> stream … endstream`; only as an indirect object.
    Stream(Stream),
    /// `12 0 R`
    Ref(ObjRef),
}

/// A stream: dictionary and place of the raw (still encoded) data.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// The dictionary.
    pub dict: Dict,
    /// Absolute offset of the first byte of data.
    pub at: u64,
    /// Number of bytes of data.
    pub len: u64,
    /// Whether `/Length` was wrong and the end was found by looking for `endstream`.
    pub repaired: bool,
}

impl Object {
    /// About how many bytes of memory it takes.
    pub(crate) fn size(&self) -> usize {
        let below = match self {
            Self::Name(bytes) | Self::Str(bytes) => bytes.len(),
            Self::Array(items) => items.iter().map(Self::size).sum(),
            Self::Dict(dict) | Self::Stream(Stream { dict, .. }) => dict.size(),
            _ => 0,
        };
        size_of::<Self>() + below
    }

    /// `/name`
    pub fn name(name: impl AsRef<[u8]>) -> Self {
        Self::Name(name.as_ref().to_vec())
    }

    /// The name's bytes.
    pub fn as_name(&self) -> Option<&[u8]> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    /// Whether this is the name `/name`.
    pub fn is_name(&self, name: &[u8]) -> bool {
        self.as_name() == Some(name)
    }

    /// The integer.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The number, of either kind.
    #[expect(clippy::cast_precision_loss, reason = "coordinates and lengths are far below 2^52")]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Real(value) => Some(*value),
            _ => None,
        }
    }

    /// The string's bytes.
    pub fn as_str(&self) -> Option<&[u8]> {
        if let Self::Str(bytes) = self { Some(bytes) } else { None }
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The elements.
    pub fn as_array(&self) -> Option<&[Object]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The dictionary, also that of a stream.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            Self::Stream(stream) => Some(&stream.dict),
            _ => None,
        }
    }

    /// The stream.
    pub fn as_stream(&self) -> Option<&Stream> {
        if let Self::Stream(stream) = self { Some(stream) } else { None }
    }

    /// The reference.
    pub fn as_ref(&self) -> Option<ObjRef> {
        if let Self::Ref(reference) = self { Some(*reference) } else { None }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<ObjRef> for Object {
    fn from(reference: ObjRef) -> Self {
        Self::Ref(reference)
    }
}

impl From<Dict> for Object {
    fn from(dict: Dict) -> Self {
        Self::Dict(dict)
    }
}

impl From<i64> for Object {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Vec<Object>> for Object {
    fn from(items: Vec<Object>) -> Self {
        Self::Array(items)
    }
}

/// A dictionary in the order it was written, which has no meaning (7.3.7): equal dictionaries may differ in it.
///
/// A key that occurs twice is kept twice: [`Dict::get`] answers with the last value, as the readers in use do, and
/// [`Dict::has_duplicates`] tells those who must refuse such a file.
#[derive(Debug, Clone, Default)]
pub struct Dict {
    entries: Vec<(Vec<u8>, Object)>,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Name(a), Self::Name(b)) | (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Dict(a), Self::Dict(b)) => a == b,
            (Self::Stream(a), Self::Stream(b)) => a == b,
            (Self::Ref(a), Self::Ref(b)) => a == b,
            (Self::Real(_) | Self::Int(_), Self::Real(_) | Self::Int(_)) => {
                self.as_number() == other.as_number()
            }
            _ => false,
        }
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        if self.entries.len() != other.entries.len() {
            return false;
        }
        let same_order = self.iter().zip(other.iter()).all(|((a, _), (b, _))| a == b);
        if same_order { self.entries == other.entries } else { self.by_key() == other.by_key() }
    }
}

impl Dict {
    /// About how many bytes of memory it takes.
    pub(crate) fn size(&self) -> usize {
        self.entries.iter().map(|(key, value)| size_of::<Vec<u8>>() + key.len() + value.size()).sum()
    }

    /// Without entries.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// The value of `key`; a direct `null` counts as absent (7.3.7).
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<&Object> {
        let key = key.as_ref();
        self.entries
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
            .filter(|v| !v.is_null())
    }

    /// All entries by key; of a key that stands twice, in the order written.
    fn by_key(&self) -> Vec<&(Vec<u8>, Object)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries
    }

    /// Whether `key` is present and not `null`.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.get(key).is_some()
    }

    /// Replaces or adds, in place or at the end.
    pub fn set(&mut self, key: impl AsRef<[u8]>, value: impl Into<Object>) {
        let key = key.as_ref();
        let value = value.into();
        match self.entries.iter_mut().rev().find(|(name, _)| name == key) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key.to_vec(), value)),
        }
    }

    /// [`Dict::set`] in a chain.
    #[must_use]
    pub fn with(mut self, key: impl AsRef<[u8]>, value: impl Into<Object>) -> Self {
        self.set(key, value);
        self
    }

    /// Takes a key out; answers with its (last) value.
    pub fn remove(&mut self, key: impl AsRef<[u8]>) -> Option<Object> {
        let key = key.as_ref();
        let mut found = None;
        self.entries.retain_mut(|(name, value)| {
            let same = name == key;
            if same {
                found = Some(std::mem::replace(value, Object::Null));
            }
            !same
        });
        found
    }

    /// Keeps the last of entries with the same key and none that is `null`: the same dictionary to every reader.
    pub(crate) fn tidy(&mut self) {
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        if self.has_duplicates() {
            let mut kept: Vec<(Vec<u8>, Object)> = Vec::new();
            for (key, value) in std::mem::take(&mut self.entries) {
                match places.get(&key).copied().and_then(|place| kept.get_mut(place)) {
                    Some(entry) => {
                        if value.is_null() {
                            places.remove(&key);
                        }
                        entry.1 = value;
                    }
                    None if value.is_null() => {}
                    None => {
                        places.insert(key.clone(), kept.len());
                        kept.push((key, value));
                    }
                }
            }
            self.entries = kept;
        }
        self.entries.retain(|(_, value)| !value.is_null());
    }

    /// Adds without looking for the key: for the parser, which must not hide duplicates.
    pub(crate) fn push(&mut self, key: Vec<u8>, value: Object) {
        self.entries.push((key, value));
    }

    /// All entries, duplicates and nulls included.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Object)> {
        self.entries.iter().map(|(name, value)| (name.as_slice(), value))
    }

    /// All values, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Object> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a key occurs more than once.
    pub fn has_duplicates(&self) -> bool {
        if self.entries.len() <= FEW {
            let mut rest = self.entries.as_slice();
            while let Some(((name, _), others)) = rest.split_first() {
                if others.iter().any(|(other, _)| other == name) {
                    return true;
                }
                rest = others;
            }
            return false;
        }
        let mut names: Vec<&[u8]> = self.entries.iter().map(|(name, _)| name.as_slice()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair.first() == pair.last())
    }

    /// Whether `/Type` is `name`.
    pub fn is_type(&self, name: &[u8]) -> bool {
        self.get("Type").is_some_and(|value| value.is_name(name))
    }
}

/// So many keys are compared with one another.
const FEW: usize = 16;
