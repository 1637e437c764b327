//! Predictors (ISO 32000-2, 7.4.4.4): what stands in the data is the difference to its neighbours.

use super::super::{
    error::PdfError,
    object::{Dict, Object},
};

/// A predictor and the shape of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Predictor {
    /// None.
    Plain,
    /// TIFF (2), with 8 bits a component.
    Tiff {
        /// Bytes of a row.
        row: usize,
        /// Components of a pixel.
        colors: usize,
    },
    /// PNG (10 and above): a byte before each row says which of five it is.
    Png {
        /// Bytes of a row, without the byte before it.
        row: usize,
        /// Bytes of a pixel, at least 1.
        pixel: usize,
    },
}

impl Predictor {
    /// What the decode parameters say.
    ///
    /// # Errors
    /// [`PdfError::Filter`] if they make no sense.
    pub(super) fn of(parms: &Dict) -> Result<Self, PdfError> {
        let number = |key: &str, default: i64| parms.get(key).and_then(Object::as_int).unwrap_or(default);
        let predictor = number("Predictor", 1);
        if predictor < 2 {
            return Ok(Self::Plain);
        }
        let bad = || PdfError::Filter("the predictor's parameters make no sense");
        let size = |key: &str, default: i64| {
            usize::try_from(number(key, default)).ok().filter(|&n| (1..=1 << 20).contains(&n)).ok_or_else(bad)
        };
        let (colors, bits, columns) = (size("Colors", 1)?, size("BitsPerComponent", 8)?, size("Columns", 1)?);
        let row = colors.checked_mul(bits).and_then(|n| n.checked_mul(columns)).ok_or_else(bad)?.div_ceil(8);
        match (predictor, bits) {
            (2, 8) => Ok(Self::Tiff { row, colors }),
            (2, _) => Err(bad()),
            _ => Ok(Self::Png { row, pixel: (colors * bits).div_ceil(8) }),
        }
    }

    /// Undoes it.
    pub(super) fn undo(self, mut data: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Plain => {}
            Self::Tiff { row, colors } => data.chunks_mut(row).for_each(|line| tiff(line, colors)),
            Self::Png { row, pixel } => {
                // A row may be said to be longer than there is data at all.
                let row = row.min(data.len());
                PngRows::new(row, pixel).undo(&mut data);
                let lines = data.chunks(row + 1);
                data = lines.flat_map(|line| line.get(1..).unwrap_or_default()).copied().collect();
            }
        }
        data
    }
}

/// The rows of PNG-predicted data, block by block.
pub(super) struct PngRows {
    row: usize,
    pixel: usize,
    above: Vec<u8>,
}

impl PngRows {
    /// Of rows of so many bytes, and pixels of so many.
    pub(super) fn new(row: usize, pixel: usize) -> Self {
        Self { row, pixel, above: vec![0; row] }
    }

    /// Undoes the predictor of the next lines, in place: each begins with the byte that names its predictor, which
    /// stays. Only the very last line may be short.
    pub(super) fn undo(&mut self, lines: &mut [u8]) {
        let mut above = self.above.as_slice();
        for line in lines.chunks_mut(self.row + 1) {
            let Some((kind, bytes)) = line.split_first_mut() else { break };
            match *kind {
                // What cross-reference streams use.
                2 => bytes.iter_mut().zip(above).for_each(|(byte, up)| *byte = byte.wrapping_add(*up)),
                1 | 3 | 4 => guessed(*kind, bytes, above, self.pixel),
                _ => {}
            }
            above = bytes;
        }
        self.above = above.to_vec();
    }
}

/// Predictors that look at the row itself.
fn guessed(kind: u8, bytes: &mut [u8], above: &[u8], pixel: usize) {
    for index in 0..bytes.len() {
        let before = |row: &[u8]| index.checked_sub(pixel).and_then(|i| row.get(i)).copied().unwrap_or(0);
        let (left, up) = (before(bytes), above.get(index).copied().unwrap_or(0));
        let guess = match kind {
            1 => left,
            3 => u8::midpoint(left, up),
            _ => paeth(left, up, before(above)),
        };
        if let Some(byte) = bytes.get_mut(index) {
            *byte = byte.wrapping_add(guess);
        }
    }
}

fn tiff(line: &mut [u8], colors: usize) {
    for index in colors..line.len() {
        let left = index.checked_sub(colors).and_then(|i| line.get(i)).copied().unwrap_or(0);
        if let Some(byte) = line.get_mut(index) {
            *byte = byte.wrapping_add(left);
        }
    }
}

/// The Paeth predictor of PNG (RFC 2083, 6.6).
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let p = a + b - c;
    let (da, db, dc) = ((p - a).abs(), (p - b).abs(), (p - c).abs());
    if da <= db && da <= dc {
        left
    } else if db <= dc {
        up
    } else {
        corner
    }
}
