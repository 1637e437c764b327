//! The document security store (ISO 32000-2, 12.8.4.3; EN 319 142-1, 5.4.2): certificates, OCSP responses and CRLs
//! appended in one revision, so that the signatures can be judged when the servers are long gone (B-LT).
//!
//! Arrays of streams only, no VRI; what a store already holds is kept, and nothing is put in twice.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{
    digest::{Digest, Midstate},
    index::BaseIndex,
    pdf::{Dict, File, Increment, Limits, Object, View, deflate},
    prepare::{PrepareError, new_file_id},
    source::Source,
};

/// What the store is to hold, each DER.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DssContent {
    /// Certificates.
    pub certs: Vec<Vec<u8>>,
    /// OCSP responses (`OCSPResponse`).
    pub ocsps: Vec<Vec<u8>>,
    /// CRLs.
    pub crls: Vec<Vec<u8>>,
}

/// An appended revision without a signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DssTail {
    /// What is appended to the base.
    #[serde(with = "crate::prepare::base64_bytes")]
    pub tail: Vec<u8>,
    /// SHA-256 of the whole new file.
    pub sha256: Digest,
    /// Length of the whole new file.
    pub len: u64,
    /// The hash at its end.
    pub midstate: Midstate,
    /// What the next revision needs.
    pub index: BaseIndex,
}

/// Appends the store, or adds to it; `None` if there is nothing new to hold.
///
/// # Errors
/// [`PrepareError`].
pub fn prepare_dss(
    base: &dyn Source,
    index: &BaseIndex,
    midstate: &Midstate,
    content: &DssContent,
    file_id_seed: &[u8; 16],
) -> Result<Option<DssTail>, PrepareError> {
    if base.len() != index.len || midstate.len() != index.len {
        return Err(PrepareError::WrongBase);
    }
    let limits = Limits { file_len: u64::MAX, ..Limits::default() };
    let file = File::open_strict(base, &limits)?;
    let view = file.latest();
    let root = view.root()?;
    let mut store = view.dict(&root, "DSS")?;
    store.set("Type", Object::name("DSS"));
    let mut out = Increment::new(index.len, index.size);
    if !index.ends_line {
        out.raw(b"\n");
    }
    let mut grown = false;
    for (key, values) in [("Certs", &content.certs), ("OCSPs", &content.ocsps), ("CRLs", &content.crls)] {
        grown |= add(&view, &mut out, &mut store, key, values)?;
    }
    if !grown {
        return Ok(None);
    }
    let mut next = index.clone();
    if let Some(Object::Ref(id)) = root.get("DSS") {
        out.object(*id, &Object::Dict(store));
    } else {
        let id = out.allot();
        out.object(id, &Object::Dict(store));
        out.object(index.root, &Object::Dict(root.with("DSS", id)));
        next.dss = Some(id);
    }
    let mut trailer = index.trailer_dict();
    trailer.set("ID", new_file_id(&trailer, index, file_id_seed, b"DSS"));
    let finished = out.finish(index.kind, &trailer, Some(index.startxref));
    let tail = finished.bytes;
    let mut hasher = midstate.resume();
    hasher.update(&tail);
    let (len, midstate) = (hasher.len(), hasher.midstate());
    let sha256 = hasher.finish();
    next.sha256 = sha256;
    next.len = len;
    next.revisions += 1;
    next.startxref = finished.startxref;
    next.size = finished.size;
    next.ends_line = true;
    next.trailer = BaseIndex::carried(&trailer);
    Ok(Some(DssTail { tail, sha256, len, midstate, index: next }))
}

/// Adds what the array under `key` does not hold yet; whether anything was added.
fn add(
    view: &View<'_, '_>,
    out: &mut Increment,
    store: &mut Dict,
    key: &str,
    values: &[Vec<u8>],
) -> Result<bool, PrepareError> {
    let mut array = view.array(store, key)?;
    let mut held = HashSet::new();
    for item in &array {
        if let Object::Stream(stream) = view.resolve(item)? {
            held.insert(Digest::of(&view.decode(&stream)?.data));
        }
    }
    let before = array.len();
    for value in values {
        if held.insert(Digest::of(value)) {
            let id = out.allot();
            let dict = Dict::new().with("Filter", Object::name("FlateDecode"));
            out.stream(id, &dict, &deflate(value));
            array.push(Object::Ref(id));
        }
    }
    let grown = array.len() > before;
    if grown {
        store.set(key, array);
    }
    Ok(grown)
}
