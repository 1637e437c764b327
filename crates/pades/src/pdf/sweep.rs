//! Going over every object of a document in the order of the file: one reading from front to back, nothing built.
//!
//! Objects are read where they lie in a window that moves along; object streams are opened one after another. Whatever
//! the skimming reader does not understand at once is left to the one that builds objects, so this decides nothing that
//! [`View::get`] would decide otherwise.

use super::{
    error::PdfError,
    indirect::header,
    lexer::{Lack, Lexer, Skimmed, integer},
    limits::Limits,
    object::ObjRef,
    objstm::{Opened, Reader},
    view::View,
    xref::{Entry, Place},
};
use crate::source::Source;

/// An object as the sweep sees it.
pub(super) enum Swept<'s> {
    /// A direct value, complete and closed, that holds this.
    Value(&'s Skimmed),
    /// The dictionary of something that is not closed behind its value: a stream, as a rule.
    Open(&'s Skimmed),
    /// To be looked at by the reader that builds objects.
    Unclear,
    /// An object stream, behind all its objects: it decodes to its end, no number is twice in it, and whatever is in it
    /// can be read.
    Strict(bool),
}

impl View<'_, '_> {
    /// Calls `visit` with every object in use until it says `false`; answers whether it never did. Objects come in the
    /// order of the file, those of object streams behind the others.
    ///
    /// # Errors
    /// [`PdfError`] if the medium fails or a limit is reached.
    pub(super) fn sweep(
        &self,
        visit: &mut dyn FnMut(u32, &Swept<'_>) -> Result<bool, PdfError>,
    ) -> Result<bool, PdfError> {
        let mut inside = Vec::new();
        self.each_in_use(&mut |number, place| {
            if let Place::InStream { container, index } = place {
                inside.push((container, index, number));
            }
        });
        inside.sort_by_key(|&(container, index, _)| (container, index));
        let mut skimmed = Skimmed::default();
        let mut window = Window { source: self.file.source, at: 0, bytes: Vec::new(), ahead: LEAST };
        for (offset, id) in self.in_file_order().iter().filter_map(Entry::placed) {
            let number = id.number;
            let (swept, text_len) = window.skim(offset, number, &self.file.limits, &mut skimmed)?;
            self.file.parsed(text_len as u64 / 4)?;
            let swept = match swept {
                Some(true) => Swept::Value(&skimmed),
                Some(false) => Swept::Open(&skimmed),
                None => Swept::Unclear,
            };
            if !visit(number, &swept)? {
                return Ok(false);
            }
        }
        let mut reader = Reader::new(&self.file.limits);
        for objects in inside.chunk_by(|a, b| a.0 == b.0) {
            let container = objects.first().map_or(0, |first| first.0);
            let held = match self.place(container) {
                Place::At { offset, .. } => self.file.open_container(&mut reader, container, offset).ok(),
                _ => None,
            };
            let mut strict = held.as_ref().is_some_and(|held| held.complete && held.is_distinct());
            let mut objects = objects.iter().peekable();
            for (index, text) in (0..).zip(held.iter().flat_map(Opened::texts)) {
                let lexer = text.map(|(_, text)| Lexer::new(text, 0, self.file.limits.depth).whole());
                let mut text_len = 0;
                let skim = lexer.map(|mut lexer| {
                    let skim = lexer.skim(&mut skimmed);
                    text_len = lexer.pos() as u64;
                    skim
                });
                self.file.parsed(text_len / 4)?;
                strict &= matches!(skim, Some(Ok(())));
                while let Some((_, _, number)) = objects.next_if(|(_, at, _)| *at == index) {
                    let right = text.is_some_and(|(stated, _)| stated == *number);
                    let swept = match skim {
                        Some(Ok(())) if right => Swept::Value(&skimmed),
                        _ => Swept::Unclear,
                    };
                    if !visit(*number, &swept)? {
                        return Ok(false);
                    }
                }
            }
            for (_, _, number) in objects {
                if !visit(*number, &Swept::Unclear)? {
                    return Ok(false);
                }
            }
            if !visit(container, &Swept::Strict(strict))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Numbers of the objects that refer to one of `wanted`, and of those that only the building reader can tell of;
    /// ascending.
    ///
    /// # Errors
    /// As [`View::sweep`].
    pub(crate) fn referring(&self, wanted: &dyn Fn(u32) -> bool) -> Result<Vec<u32>, PdfError> {
        let mut numbers = Vec::new();
        self.sweep(&mut |number, swept| {
            let may = match swept {
                Swept::Value(skimmed) | Swept::Open(skimmed) => {
                    skimmed.references.iter().any(|reference| wanted(reference.number))
                }
                Swept::Unclear => true,
                Swept::Strict(_) => false,
            };
            if may {
                numbers.push(number);
            }
            Ok(true)
        })?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Whether every object is one that strict readers read: header, `endobj`, no key twice, no reference to nothing, no
    /// name with bytes that are to be escaped;
    /// `otherwise` judges streams and whatever cannot be told here.
    ///
    /// # Errors
    /// As [`View::sweep`], or as `otherwise`.
    pub(crate) fn all_plain(
        &self,
        otherwise: &mut dyn FnMut(u32) -> Result<bool, PdfError>,
    ) -> Result<bool, PdfError> {
        let mut in_use = vec![false; self.size() as usize];
        self.each_in_use(&mut |number, _| {
            if let Some(used) = in_use.get_mut(number as usize) {
                *used = true;
            }
        });
        let leads = |reference: &ObjRef| in_use.get(reference.number as usize) == Some(&true);
        self.sweep(&mut |number, swept| match swept {
            Swept::Value(skimmed) => {
                Ok(!skimmed.duplicates && !skimmed.raw_names && skimmed.references.iter().all(leads))
            }
            Swept::Strict(strict) => Ok(*strict),
            Swept::Open(skimmed) if skimmed.raw_names => Ok(false),
            Swept::Open(_) | Swept::Unclear => otherwise(number),
        })
    }
}

/// A part of the file that moves along.
struct Window<'a> {
    source: &'a dyn Source,
    at: u64,
    bytes: Vec<u8>,
    ahead: usize,
}

impl Window<'_> {
    /// The object at `offset`: whether it is closed behind its value; `None` if it is not `number`, or not to be read. And
    /// how much text was looked at.
    fn skim(
        &mut self,
        offset: u64,
        number: u32,
        limits: &Limits,
        skimmed: &mut Skimmed,
    ) -> Result<(Option<bool>, usize), PdfError> {
        let mut least = LEAST;
        loop {
            let (text, whole) = self.text(offset, least)?;
            let lexer = Lexer::new(text, offset, limits.depth);
            let mut lexer = if whole { lexer.whole() } else { lexer };
            let skim = object(&mut lexer, offset, number, skimmed);
            match skim {
                Err(Lack::More) if !whole && least < limits.object_len => least *= 8,
                skim => return Ok((skim.unwrap_or(None), lexer.pos())),
            }
        }
    }

    /// The bytes from `at` on, at least `least` of them unless the file ends: then `true`.
    fn text(&mut self, at: u64, least: usize) -> Result<(&[u8], bool), PdfError> {
        let len = self.source.len();
        let end = self.at + self.bytes.len() as u64;
        let held = at >= self.at && (end == len || at.saturating_add(least as u64) <= end);
        if !held {
            // Twice as much as last time while it goes straight on; little behind a leap over a stream.
            let straight = at >= self.at && at <= end;
            self.ahead = if straight { (self.ahead * 2).min(MOST) } else { LEAST };
            let want = self.ahead.max(least) as u64;
            let take = len.saturating_sub(at).min(want);
            self.bytes.resize(usize::try_from(take).unwrap_or(MOST), 0);
            self.source.read_at(at, &mut self.bytes)?;
            self.at = at;
        }
        let start = usize::try_from(at - self.at).unwrap_or(usize::MAX);
        let whole = self.at + self.bytes.len() as u64 == len;
        Ok((self.bytes.get(start..).unwrap_or_default(), whole))
    }
}

fn object(lexer: &mut Lexer<'_>, at: u64, number: u32, skimmed: &mut Skimmed) -> Result<Option<bool>, Lack> {
    lexer.skip_space();
    match integer(lexer.rest(), 9) {
        // As most writers write it; `header` has the word on everything else.
        Some((stated, digits, rest)) if stated == number && rest.starts_with(b" 0 obj") => {
            lexer.seek(lexer.pos() + digits + 6);
        }
        _ if header(lexer, at)?.number != number => return Ok(None),
        _ => {}
    }
    lexer.skim(skimmed)?;
    lexer.take_keyword(b"endobj").map(Some)
}

const LEAST: usize = 4 << 10;
const MOST: usize = 256 << 10;
