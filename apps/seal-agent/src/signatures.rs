//! The signatures that stand in a file, as its bytes have them: which revision each made, and what it digests.
//!
//! Whether they are good is `pades::verify`'s answer. This reads what a decision must be compared with: the head before the
//! signature, the digest of its `ByteRange`, and the revision as it was before the value was put in.

use sha2::{Digest as _, Sha256};
use trinhky_pades::Digest;
use trinhky_pades::pdf::{Dict, File, Limits, Object, View};
use trinhky_protos::HexDigest;

use crate::error::Error;

/// One signature, placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    /// SHA-256 of the file before this signature's revision.
    pub(crate) head: HexDigest,
    /// SHA-256 of the revision with an empty gap: the tail that was decided on.
    pub(crate) tail: HexDigest,
    /// SHA-256 over the `ByteRange`.
    pub(crate) content: Digest,
}

/// The signature of the top-level field `name`, which revision number `revision` (from 1) of `bytes` made.
///
/// # Errors
/// [`Error::Document`] if it is not there in the shape that our own signatures have.
pub(crate) fn placed(bytes: &[u8], name: &str, revision: usize) -> Result<Placed, Error> {
    let wrong = |what: &str| Error::Document(format!("{name}: {what}"));
    let broken = |error: trinhky_pades::pdf::PdfError| Error::Document(format!("{name}: {error}"));
    let file = File::open_strict(&bytes, &Limits::default()).map_err(broken)?;
    let range = revision.checked_sub(1).and_then(|index| file.revision_bytes(index));
    let range = range.ok_or_else(|| wrong("its revision is not there"))?;
    let at = |offset: u64| usize::try_from(offset).ok();
    let (begin, end) = at(range.start).zip(at(range.end)).ok_or_else(|| wrong("too long"))?;

    let signature =
        value_of(&file.latest(), name).map_err(broken)?.ok_or_else(|| wrong("it is not signed"))?;
    let [first, resume, last] = byte_range(&signature).ok_or_else(|| wrong("its ByteRange is malformed"))?;
    if !(begin < first && first < resume && resume < last && last == end) {
        return Err(wrong("its ByteRange is not its revision"));
    }
    let part =
        |from: usize, to: usize| bytes.get(from..to).ok_or_else(|| wrong("its ByteRange is not in the file"));
    let (head, before, gap, after) =
        (part(0, begin)?, part(begin, first)?, part(first, resume)?, part(resume, last)?);
    if !matches!(gap, [b'<', .., b'>']) {
        return Err(wrong("its gap is no hex string"));
    }
    let mut empty = vec![b'0'; gap.len()];
    if let [open, .., close] = empty.as_mut_slice() {
        (*open, *close) = (b'<', b'>');
    }
    let digest = |parts: &[&[u8]]| -> [u8; 32] {
        parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
    };
    Ok(Placed {
        head: HexDigest(digest(&[head])),
        tail: HexDigest(digest(&[before, &empty, after])),
        content: Digest(digest(&[head, before, after])),
    })
}

/// The signature dictionary in the top-level field of that name.
fn value_of(view: &View<'_, '_>, name: &str) -> Result<Option<Dict>, trinhky_pades::pdf::PdfError> {
    let form = view.dict(&view.root()?, "AcroForm")?;
    for field in view.array(&form, "Fields")? {
        let Object::Dict(field) = view.resolve(&field)? else { continue };
        if field.get("T").and_then(Object::as_str) == Some(name.as_bytes()) {
            return view.dict(&field, "V").map(|value| Some(value).filter(|value| !value.is_empty()));
        }
    }
    Ok(None)
}

/// End of the first part, begin of the second, end of the second.
fn byte_range(signature: &Dict) -> Option<[usize; 3]> {
    let [start, first, resume, rest] = signature.get("ByteRange")?.as_array()? else { return None };
    let number = |object: &Object| usize::try_from(object.as_int()?).ok();
    let resume = number(resume)?;
    (number(start)? == 0).then_some([number(first)?, resume, resume.checked_add(number(rest)?)?])
}
