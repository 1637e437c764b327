//! Object streams (ISO 32000-2, 7.5.7): many objects in one compressed stream.

use super::{
    error::PdfError,
    filter,
    lexer::{Lexer, Skimmed},
    limits::Limits,
    object::{Object, Stream},
};
use crate::source::Source;

/// A decoded object stream.
#[derive(Debug)]
pub(super) struct Container {
    /// Number and offset in `data` of each object, in stream order.
    index: Vec<(u32, u32)>,
    data: Vec<u8>,
}

impl Container {
    /// Decodes `stream`, whose dictionary must be direct in what concerns decoding.
    ///
    /// # Errors
    /// [`PdfError`] if it is no object stream, does not decode, or its index is malformed.
    pub(super) fn read(source: &dyn Source, stream: &Stream, limits: &Limits) -> Result<Self, PdfError> {
        if !stream.dict.is_type(b"ObjStm") {
            return Err(PdfError::Wrong("an object stream"));
        }
        let raw = usize::try_from(stream.len).ok().filter(|&n| n <= limits.inflated_len);
        let raw = source.slice(stream.at, raw.ok_or(PdfError::Limit("one stream is too long"))?)?;
        let decoded = filter::decode(&stream.dict, raw, limits.inflated_len)?;
        Self::parse(stream, decoded.data, limits)
    }

    fn parse(stream: &Stream, data: Vec<u8>, limits: &Limits) -> Result<Self, PdfError> {
        let field = |key: &str| {
            let value = stream.dict.get(key).and_then(Object::as_int);
            value
                .and_then(|n| u32::try_from(n).ok())
                .ok_or(PdfError::Wrong("the object stream's /N or /First"))
        };
        let (count, first) = (field("N")?, field("First")?);
        if count > limits.objects {
            return Err(PdfError::Limit("too many objects"));
        }
        let mut lexer = Lexer::new(&data, 0, 1);
        let mut index = Vec::with_capacity((count as usize).min(data.len() / 4));
        for _ in 0..count {
            let number = u32::try_from(lexer.unsigned()?).map_err(|_| PdfError::Wrong("an object number"))?;
            let offset = u32::try_from(lexer.unsigned()?).ok().and_then(|offset| offset.checked_add(first));
            index.push((number, offset.ok_or(PdfError::Wrong("an offset in an object stream"))?));
        }
        Ok(Self { index, data })
    }

    /// The numbers of the objects, in stream order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.index.iter().map(|(number, _)| *number)
    }

    /// The object at `index`, which must have `number`; if it has not, the one that has.
    ///
    /// # Errors
    /// [`PdfError`] if there is none or it is malformed.
    pub(super) fn object(&self, index: usize, number: u32, limits: &Limits) -> Result<Object, PdfError> {
        let here = self.index.get(index).filter(|(stated, _)| *stated == number);
        let entry = here.or_else(|| self.index.iter().find(|(stated, _)| *stated == number));
        let (_, offset) = entry.ok_or(PdfError::Wrong("an object in an object stream"))?;
        let bytes =
            self.data.get(*offset as usize..).ok_or(PdfError::Wrong("an offset in an object stream"))?;
        Ok(Lexer::new(bytes, u64::from(*offset), limits.depth).whole().object()?)
    }

    /// Number of each object in stream order, and the data from it on.
    pub(super) fn texts(&self) -> impl Iterator<Item = Option<(u32, &[u8])>> {
        self.index.iter().map(|(number, offset)| Some((*number, self.data.get(*offset as usize..)?)))
    }

    /// Whether no number occurs twice.
    pub(super) fn is_distinct(&self) -> bool {
        let mut numbers: Vec<u32> = self.numbers().collect();
        numbers.sort_unstable();
        numbers.windows(2).all(|pair| pair.first() != pair.last())
    }

    /// Whether every object within it follows the grammar to its end.
    pub(super) fn is_strict(&self, limits: &Limits) -> bool {
        let mut skimmed = Skimmed::default();
        self.is_distinct()
            && self.texts().all(|text| {
                text.is_some_and(|(_, text)| {
                    Lexer::new(text, 0, limits.depth).whole().skim(&mut skimmed).is_ok()
                })
            })
    }

    /// Whether `number` is at `index`.
    pub(super) fn holds(&self, index: usize, number: u32) -> bool {
        self.index.get(index).is_some_and(|(stated, _)| *stated == number)
    }

    /// Bytes held in memory.
    pub(super) fn size(&self) -> usize {
        self.data.len() + self.index.len() * 8
    }
}
