//! zlib data (RFC 1950), inflated no further than it is asked for.

use flate2::{Decompress, FlushDecompress, Status};

use super::super::error::PdfError;

/// zlib data that is read from its front.
pub(in crate::pdf) struct Inflating {
    state: Decompress,
    raw: Vec<u8>,
    max: usize,
    end: Option<End>,
}

/// How zlib data ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pdf) enum End {
    /// As it should.
    Complete,
    /// It broke off, or is damaged here; viewers show what came before.
    Broken,
}

impl Inflating {
    /// The data `raw`, which may expand to `max` bytes.
    pub(in crate::pdf) fn new(raw: Vec<u8>, max: usize) -> Self {
        Self { state: Decompress::new(true), raw, max, end: None }
    }

    /// Begins anew, with the data that is put into what this returns.
    pub(in crate::pdf) fn restart(&mut self) -> &mut Vec<u8> {
        self.state.reset(true);
        self.end = None;
        &mut self.raw
    }

    /// How it ended; `None` if it has not yet.
    pub(in crate::pdf) fn end(&self) -> Option<End> {
        self.end
    }

    /// Bytes held in memory.
    pub(in crate::pdf) fn size(&self) -> usize {
        self.raw.len() + STATE
    }

    /// Appends to `data` what comes next, until `data` is at least `len` bytes long or nothing is left.
    ///
    /// # Errors
    /// [`PdfError::Filter`] if not a single byte came out of damaged data, [`PdfError::Limit`] if there are more than
    /// the allowed number.
    pub(in crate::pdf) fn fill(&mut self, data: &mut Vec<u8>, len: usize) -> Result<(), PdfError> {
        while self.end.is_none() && data.len() < len {
            if data.len() == data.capacity() {
                data.reserve_exact((len - data.len()).min(data.len().max(LEAST)));
            }
            let before = (self.state.total_in(), self.state.total_out());
            let taken = usize::try_from(before.0).unwrap_or(usize::MAX);
            let input = self.raw.get(taken..).unwrap_or_default();
            let status = self.state.decompress_vec(input, data, FlushDecompress::None);
            let still = before == (self.state.total_in(), self.state.total_out());
            match status {
                Ok(Status::StreamEnd) => self.end = Some(End::Complete),
                Ok(_) if !still => {}
                Ok(_) | Err(_) => self.end = Some(End::Broken),
            }
            if self.state.total_out() > self.max as u64 {
                return Err(PdfError::Limit("a stream expands to too many bytes"));
            }
        }
        let nothing = self.state.total_out() == 0 && !self.raw.is_empty();
        if self.end == Some(End::Broken) && nothing {
            return Err(PdfError::Filter("the compressed data is damaged"));
        }
        Ok(())
    }
}

/// Bytes to begin with where nobody said how many there will be.
const LEAST: usize = 4 << 10;
/// Bytes that the state of a decoder takes: its window and its tables.
const STATE: usize = 48 << 10;
