//! Object streams (ISO 32000-2, 7.5.7): many objects in one compressed stream.
//!
//! [`Container`] is for whoever wants one of the objects and inflates no further than to its end, [`Reader`] for whoever
//! goes through many streams from end to end.

use std::cell::RefCell;

use super::{
    error::PdfError,
    filter::{self, End, Inflating},
    lexer::{Lack, Lexer, integer},
    limits::Limits,
    object::{Object, Stream},
};
use crate::source::Source;

/// An object stream, decoded as far as it was needed.
pub(super) struct Container {
    index: Index,
    text: RefCell<Text>,
}

/// Number of each object, and where it begins in the decoded data; in stream order.
type Index = Vec<(u32, usize)>;

struct Text {
    data: Vec<u8>,
    /// What yields more of it; `None` if this is all.
    more: Option<Inflating>,
}

impl Container {
    /// Opens `stream`, whose dictionary must be direct in what concerns decoding.
    ///
    /// # Errors
    /// [`PdfError`] if it is no object stream, does not decode, or its index is malformed.
    pub(super) fn read(
        source: &dyn Source,
        stream: &Stream,
        limits: &Limits,
        cost: &mut u64,
    ) -> Result<Self, PdfError> {
        let shape = Shape::of(stream, limits)?;
        let raw = source.slice(stream.at, shape.raw_len)?;
        *cost += raw.len() as u64 / 4;
        // What is small is not worth keeping a decoder for.
        let ahead = if raw.len() <= SMALL { usize::MAX } else { shape.first.saturating_add(AHEAD) };
        let mut text = if filter::is_plain_flate(&stream.dict) {
            Text { data: Vec::new(), more: Some(Inflating::new(raw, limits.inflated_len)) }
        } else {
            Text { data: filter::decode_at(&stream.dict, raw, limits.inflated_len, cost)?.data, more: None }
        };
        let decoded = text.data.len();
        let mut index = Vec::new();
        let read = text.read(0, ahead, limits, &mut |lexer| shape.index(lexer, &mut index));
        *cost += (text.data.len() - decoded) as u64;
        read?;
        Ok(Self { index, text: RefCell::new(text) })
    }

    /// The numbers of the objects, in stream order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.index.iter().map(|(number, _)| *number)
    }

    /// The object at `index`, which must have `number`; if it has not, the one that has. And how much text was parsed.
    ///
    /// # Errors
    /// [`PdfError`] if there is none or it is malformed.
    pub(super) fn object(
        &self,
        index: usize,
        number: u32,
        limits: &Limits,
    ) -> (Result<Object, PdfError>, usize) {
        let here = self.index.get(index).filter(|(stated, _)| *stated == number);
        let entry = here.or_else(|| self.index.iter().find(|(stated, _)| *stated == number));
        let looked = if here.is_some() { 0 } else { self.index.len() };
        let Some(&(_, at)) = entry else {
            return (Err(PdfError::Wrong("an object in an object stream")), looked);
        };
        let mut text_len = 0;
        let object = self.text.borrow_mut().read(at, AHEAD, limits, &mut |lexer| {
            let object = lexer.object();
            text_len = lexer.pos();
            object
        });
        (object, text_len + looked)
    }

    /// Whether `number` is at `index`.
    pub(super) fn holds(&self, index: usize, number: u32) -> bool {
        self.index.get(index).is_some_and(|(stated, _)| *stated == number)
    }

    /// Bytes that were decoded so far.
    pub(super) fn decoded(&self) -> usize {
        self.text.borrow().data.len()
    }

    /// Bytes held in memory.
    pub(super) fn size(&self) -> usize {
        let text = self.text.borrow();
        let more = text.more.as_ref().map_or(0, Inflating::size);
        ONE + text.data.len() + self.index.len() * size_of::<(u32, usize)>() + more
    }
}

impl Text {
    /// What `parse` makes of the data from `at` on, of which `ahead` bytes should be enough.
    fn read<T>(
        &mut self,
        at: usize,
        ahead: usize,
        limits: &Limits,
        parse: &mut dyn FnMut(&mut Lexer<'_>) -> Result<T, Lack>,
    ) -> Result<T, PdfError> {
        let mut ahead = ahead;
        loop {
            if let Some(more) = &mut self.more {
                more.fill(&mut self.data, at.saturating_add(ahead))?;
                if more.end().is_some() {
                    self.more = None;
                }
            }
            let text = self.data.get(at..).ok_or(PdfError::Wrong("an offset in an object stream"))?;
            let lexer = Lexer::new(text, at as u64, limits.depth);
            match parse(&mut if self.more.is_none() { lexer.whole() } else { lexer }) {
                Err(Lack::More) if self.more.is_some() => ahead = ahead.saturating_mul(4),
                done => return Ok(done?),
            }
        }
    }
}

/// What the dictionary of an object stream says of it.
struct Shape {
    raw_len: usize,
    count: u32,
    first: usize,
}

impl Shape {
    fn of(stream: &Stream, limits: &Limits) -> Result<Self, PdfError> {
        if !stream.dict.is_type(b"ObjStm") {
            return Err(PdfError::Wrong("an object stream"));
        }
        let raw_len = usize::try_from(stream.len).ok().filter(|&n| n <= limits.inflated_len);
        let raw_len = raw_len.ok_or(PdfError::Limit("one stream is too long"))?;
        let field = |key: &str| {
            let value = stream.dict.get(key).and_then(Object::as_int);
            let value = value.and_then(|n| u32::try_from(n).ok());
            value.ok_or(PdfError::Wrong("the object stream's /N or /First"))
        };
        let (count, first) = (field("N")?, field("First")?);
        if count > limits.objects {
            return Err(PdfError::Limit("too many objects"));
        }
        Ok(Self { raw_len, count, first: first as usize })
    }

    /// Number and place of each object, as they stand before the first.
    fn index(&self, lexer: &mut Lexer<'_>, index: &mut Index) -> Result<(), Lack> {
        index.clear();
        index.reserve((self.count as usize).min(lexer.rest().len() / 4));
        for _ in 0..self.count {
            let (number, offset) = (short(lexer)?, short(lexer)?);
            index.push((number, self.first.saturating_add(offset as usize)));
        }
        Ok(())
    }
}

/// An unsigned integer of 32 bits.
fn short(lexer: &mut Lexer<'_>) -> Result<u32, Lack> {
    lexer.skip_space();
    let value = match integer(lexer.rest(), 9) {
        Some((value, digits, _)) if digits > 0 => {
            lexer.seek(lexer.pos() + digits);
            value
        }
        _ => u32::try_from(lexer.unsigned()?)
            .map_err(|_| Lack::Bad(PdfError::Wrong("a number in an object stream")))?,
    };
    // It might go on behind what is here.
    if lexer.rest().is_empty() { Err(Lack::More) } else { Ok(value) }
}

/// Goes through one object stream after another, from end to end, with the same buffers.
pub(super) struct Reader {
    index: Index,
    data: Vec<u8>,
    inflating: Inflating,
}

/// An object stream that was decoded whole.
pub(super) struct Opened<'r> {
    index: &'r Index,
    data: &'r [u8],
    /// Whether it decoded to its end.
    pub(super) complete: bool,
}

impl Reader {
    /// A reader that respects `limits`.
    pub(super) fn new(limits: &Limits) -> Self {
        let inflating = Inflating::new(Vec::new(), limits.inflated_len);
        Self { index: Vec::new(), data: Vec::new(), inflating }
    }

    /// Decodes `stream`.
    ///
    /// # Errors
    /// As [`Container::read`].
    pub(super) fn open(
        &mut self,
        source: &dyn Source,
        stream: &Stream,
        limits: &Limits,
        cost: &mut u64,
    ) -> Result<Opened<'_>, PdfError> {
        let shape = Shape::of(stream, limits)?;
        let complete = if filter::is_plain_flate(&stream.dict) {
            let raw = self.inflating.restart();
            raw.resize(shape.raw_len, 0);
            source.read_at(stream.at, raw)?;
            self.data.clear();
            let filled = self.inflating.fill(&mut self.data, usize::MAX);
            *cost += (self.data.len() + shape.raw_len / 4) as u64;
            filled?;
            self.inflating.end() == Some(End::Complete)
        } else {
            let raw = source.slice(stream.at, shape.raw_len)?;
            let decoded = filter::decode_at(&stream.dict, raw, limits.inflated_len, cost)?;
            self.data = decoded.data;
            decoded.complete
        };
        shape.index(&mut Lexer::new(&self.data, 0, 1).whole(), &mut self.index)?;
        Ok(Opened { index: &self.index, data: &self.data, complete })
    }
}

impl Opened<'_> {
    /// Number of each object in stream order, and the data from it on.
    pub(super) fn texts(&self) -> impl Iterator<Item = Option<(u32, &[u8])>> {
        self.index.iter().map(|&(number, at)| Some((number, self.data.get(at..)?)))
    }

    /// Whether no number occurs twice.
    pub(super) fn is_distinct(&self) -> bool {
        if self.index.is_sorted_by(|(one, _), (next, _)| one < next) {
            return true;
        }
        let mut numbers: Vec<u32> = self.index.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.is_sorted_by(|one, next| one < next)
    }
}

/// Compressed data of up to so many bytes is decoded at once.
const SMALL: usize = 16 << 10;
/// What holding one costs in any case: they are looked through one by one.
const ONE: usize = 16 << 10;
/// Bytes that hold most objects.
const AHEAD: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pdf::{Dict, deflate};

    /// An object stream that begins at 0 of what it is read from.
    fn stream(objects: &[String], first: Option<usize>, flate: bool) -> (Vec<u8>, Stream) {
        let mut body = String::new();
        let mut index = Vec::new();
        for (number, object) in (10..).zip(objects) {
            index.push(format!("{number} {} ", body.len()));
            body += object;
        }
        let index = index.concat();
        let mut dict = Dict::new().with("Type", Object::name("ObjStm"));
        dict.set("N", i64::try_from(objects.len()).unwrap());
        dict.set("First", i64::try_from(first.unwrap_or(index.len())).unwrap());
        let mut bytes = (index + &body).into_bytes();
        if flate {
            dict.set("Filter", Object::name("FlateDecode"));
            bytes = deflate(&bytes);
        }
        let len = bytes.len() as u64;
        (bytes, Stream { dict, at: 0, len, repaired: false })
    }

    fn noise(numbers: u32) -> String {
        let numbers = (0..numbers).map(|n| n.wrapping_mul(2_654_435_761).to_string());
        numbers.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_stands_in_front_is_read_without_the_rest() {
        let noise = noise(200_000);
        let objects = ["<< /Type /Catalog >> ".to_owned(), format!("[{noise}]"), "(last)".to_owned()];
        let (bytes, stream) = stream(&objects, None, true);
        let limits = Limits::default();
        let container = Container::read(&bytes, &stream, &limits, &mut 0).unwrap();
        assert!(container.object(0, 10, &limits).0.unwrap().as_dict().is_some());
        let whole = noise.len();
        assert!(container.decoded() < whole / 10, "{} of {whole}", container.decoded());
        assert_eq!(
            container.object(1, 11, &limits).0.unwrap().as_array().map(<[Object]>::len),
            Some(200_000)
        );
        assert!(container.object(2, 12, &limits).0.is_ok() && container.decoded() > whole);
        let few = Limits { inflated_len: 1 << 20, ..limits };
        let container = Container::read(&bytes, &stream, &few, &mut 0).unwrap();
        assert!(container.object(0, 10, &few).0.is_ok());
        assert!(matches!(container.object(2, 12, &few).0, Err(PdfError::Limit(_))));
    }

    proptest! {
        #[test]
        fn both_ways_of_reading_say_the_same(
            objects in proptest::collection::vec("(<< /A [1 0 R (b)] >>|[1 2 3]|12|1 0 R|/Name|\\(x{0,3000}|<4a>)[ \n]?", 0..8),
            first in proptest::option::of(0_usize..60),
            flate in any::<bool>(),
            cut in 0_usize..40,
            many in any::<bool>(),
        ) {
            let mut objects = objects;
            if many {
                // Too much to be decoded at once.
                objects.push(noise(30_000));
            }
            let (mut bytes, mut stream) = stream(&objects, first, flate);
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            stream.len = bytes.len() as u64;
            let limits = Limits::default();
            let mut reader = Reader::new(&limits);
            match (Container::read(&bytes, &stream, &limits, &mut 0), reader.open(&bytes, &stream, &limits, &mut 0)) {
                (Ok(container), Ok(opened)) => {
                    let numbers: Vec<u32> = container.numbers().collect();
                    prop_assert_eq!(numbers.len(), opened.texts().count());
                    for (index, text) in opened.texts().enumerate().collect::<Vec<_>>().into_iter().rev() {
                        let lexed = text.map(|(_, text)| Lexer::new(text, 0, limits.depth).whole().object());
                        let read = container.object(index, numbers[index], &limits).0;
                        prop_assert_eq!(lexed.and_then(Result::ok), read.ok());
                    }
                }
                (Err(_), Err(_)) => {}
                (container, opened) => {
                    prop_assert!(false, "{:?} {:?}", container.err(), opened.err());
                }
            }
        }
    }
}
