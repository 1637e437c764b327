//! The last resort of a reader: a scan of the whole file for object headers, when the cross-reference chain is
//! missing or wrong. What a scan finds is good enough to be *rewritten* before a first signature, never to be
//! signed or judged as it is.

use std::collections::BTreeMap;

use super::{
    chain::{Chain, Revision, SectionInfo},
    error::PdfError,
    indirect::{find, integer_at, read_indirect, with_window},
    lexer::{Lack, is_space},
    limits::Limits,
    object::{Dict, Object},
    objstm::Container,
    xref::{Entry, Place, SectionKind},
};
use crate::source::{Counted, Source};

/// One revision made of the last definition of every number.
///
/// # Errors
/// [`PdfError::NoDocument`] if no catalog is found, [`PdfError::Limit`] for too many objects.
pub(super) fn scan(source: &dyn Source, from: u64, limits: &Limits) -> Result<Chain, PdfError> {
    let scanned = Counted::new(source);
    let source: &dyn Source = &scanned;
    let mut found = Found { left: limits.inflated_total, ..Found::default() };
    let mut at = from;
    while let Some(word) = find(source, at, b"obj")? {
        at = word + 3;
        affordable(&scanned)?;
        let Some(header) = header_before(source, word)? else { continue };
        let known = |lengths: &BTreeMap<u32, Place>, number| match lengths.get(&number) {
            Some(Place::At { offset, .. }) => Some(*offset),
            _ => None,
        };
        let places = &found.places;
        let mut length = |reference: super::object::ObjRef| {
            integer_at(source, known(places, reference.number)?).map(|(_, value)| value)
        };
        let Ok(indirect) = read_indirect(source, header, limits, &mut length) else { continue };
        at = indirect.end.max(at);
        if indirect.id.number == 0 {
            continue;
        }
        if indirect.id.number > limits.objects || found.places.len() > limits.objects as usize {
            return Err(PdfError::Limit("too many objects"));
        }
        let place = Place::At { offset: indirect.start, generation: indirect.id.generation };
        found.places.insert(indirect.id.number, place);
        found.note(source, indirect.id.number, &indirect.object, limits)?;
    }
    found.trailers(&scanned, from, limits)?;
    found.into_chain(source)
}

/// Whether no more was read than repairing is worth: what begins and never ends is looked for to the end of the file.
fn affordable(scanned: &Counted<'_>) -> Result<(), PdfError> {
    let most = scanned.len().saturating_mul(32).saturating_add(64 << 20);
    if scanned.read() > most {
        return Err(PdfError::Limit("the file takes too much work to repair"));
    }
    Ok(())
}

#[derive(Default)]
struct Found {
    places: BTreeMap<u32, Place>,
    catalog: Option<u32>,
    trailer: Dict,
    /// Bytes that object streams may still expand to.
    left: u64,
}

impl Found {
    /// Keeps what leads to the document: catalogs, the dictionaries of cross-reference streams, object streams.
    fn note(
        &mut self,
        source: &dyn Source,
        number: u32,
        object: &Object,
        limits: &Limits,
    ) -> Result<(), PdfError> {
        let Some(dict) = object.as_dict() else { return Ok(()) };
        if dict.is_type(b"Catalog") {
            self.catalog = Some(number);
        } else if dict.is_type(b"XRef") {
            self.take_trailer(dict);
        } else if dict.is_type(b"ObjStm")
            && let Some(stream) = object.as_stream()
        {
            let mut cost = 0;
            let container = Container::read(source, stream, limits, &mut cost);
            self.spend(cost)?;
            let Ok(container) = container else { return Ok(()) };
            for (index, inner) in container.numbers().enumerate() {
                if inner == 0 || inner > limits.objects {
                    continue;
                }
                let before = container.decoded();
                let (object, text_len) = container.object(index, inner, limits);
                self.spend((container.decoded() - before + text_len) as u64)?;
                if object.is_ok_and(|o| o.as_dict().is_some_and(|d| d.is_type(b"Catalog"))) {
                    self.catalog = Some(inner);
                }
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                self.places.insert(inner, Place::InStream { container: number, index });
            }
        }
        Ok(())
    }

    fn spend(&mut self, bytes: u64) -> Result<(), PdfError> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(PdfError::Limit("the file expands to too many bytes"))?;
        Ok(())
    }

    fn take_trailer(&mut self, dict: &Dict) {
        for key in ["Root", "Info", "ID", "Encrypt"] {
            if let Some(value) = dict.get(key) {
                self.trailer.set(key, value.clone());
            }
        }
    }

    fn trailers(&mut self, source: &Counted<'_>, from: u64, limits: &Limits) -> Result<(), PdfError> {
        let mut at = from;
        while let Some(word) = find(source, at, b"trailer")? {
            at = word + 7;
            affordable(source)?;
            let dict = with_window(source, at, limits, |lexer| match lexer.object()? {
                Object::Dict(dict) => Ok(dict),
                _ => Err(Lack::Bad(PdfError::Wrong("the trailer"))),
            });
            if let Ok(dict) = dict {
                self.take_trailer(&dict);
            }
        }
        Ok(())
    }

    fn into_chain(self, source: &dyn Source) -> Result<Chain, PdfError> {
        let mut trailer = self.trailer;
        let stated = trailer.get("Root").and_then(Object::as_ref);
        if stated.is_none_or(|root| !self.places.contains_key(&root.number)) {
            let catalog = self.catalog.ok_or(PdfError::NoDocument("there is no catalog"))?;
            trailer.set("Root", super::object::ObjRef::new(catalog));
        }
        let size = self.places.keys().next_back().map_or(1, |last| i64::from(*last) + 1);
        trailer.set("Size", size);
        let entries = self.places.into_iter().map(|(number, place)| Entry::new(number, place)).collect();
        let end = source.len();
        let section = SectionInfo { at: end, end, kind: SectionKind::Table, id: None };
        let revision =
            Revision { sections: vec![section], entries, trailer, startxref_at: None, eof: end, end };
        Ok(Chain { revisions: vec![revision], startxref: end, sloppy: true, ..Chain::default() })
    }
}

/// The start of `N G ` before the `obj` at `word`, if that is what stands there.
fn header_before(source: &dyn Source, word: u64) -> Result<Option<u64>, PdfError> {
    let reach = word.min(24);
    let window = source.slice(word - reach, usize::try_from(reach).unwrap_or(24))?;
    let mut pos = window.len();
    for _ in 0..2 {
        while pos > 0 && window.get(pos - 1).is_some_and(|&b| is_space(b)) {
            pos -= 1;
        }
        let digits = pos;
        while pos > 0 && window.get(pos - 1).is_some_and(u8::is_ascii_digit) {
            pos -= 1;
        }
        if pos == digits {
            return Ok(None);
        }
    }
    Ok(Some(word - reach + pos as u64))
}
