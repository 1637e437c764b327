//! Stream filters (ISO 32000-2, 7.4) that a reader of structure and text needs: Flate and LZW with predictors,
//! ASCII hex, ASCII 85 and run length. Image filters (DCT, JPX, CCITT, JBIG2) are left alone. Every decoder is bounded.

mod flate;
mod predictor;

use predictor::{PngRows, Predictor};

pub(super) use flate::{End, Inflating};

use super::{
    error::PdfError,
    lexer::{hex_bytes, hex_digit, is_space},
    object::{Dict, Object},
};

/// Decoded data, and whether it decoded to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// What came out.
    pub data: Vec<u8>,
    /// `false` if the data broke off; a viewer would still show the front part.
    pub complete: bool,
}

/// Applies the `/Filter` chain of `dict` (all values direct) to `raw`; `max` bounds the output of each step in bytes.
///
/// # Errors
/// [`PdfError::Filter`] for a filter this module does not do or data that yields nothing,
/// [`PdfError::Limit`] if the output would exceed `max`.
pub fn decode(dict: &Dict, raw: Vec<u8>, max: usize) -> Result<Decoded, PdfError> {
    decode_at(dict, raw, max, &mut 0)
}

/// [`decode`], which adds to `cost` the bytes that every step yielded, in vain or not, and some for what it took in.
pub(super) fn decode_at(dict: &Dict, raw: Vec<u8>, max: usize, cost: &mut u64) -> Result<Decoded, PdfError> {
    let (filters, parms) = chain(dict);
    if filters.len() > 8 {
        return Err(PdfError::Limit("too many filters on one stream"));
    }
    *cost += raw.len() as u64 / 4;
    let mut decoded = Decoded { data: raw, complete: true };
    for (index, filter) in filters.iter().enumerate() {
        let empty = Dict::new();
        let parms = parms.get(index).and_then(Object::as_dict).unwrap_or(&empty);
        let raw = decoded.data;
        let step = match filter.as_name().unwrap_or_default() {
            b"FlateDecode" | b"Fl" => predict(inflate(raw, max, cost)?, parms)?,
            b"LZWDecode" | b"LZW" => {
                predict(lzw(&raw, parms, max).inspect_err(|_| *cost += max as u64)?, parms)?
            }
            b"ASCIIHexDecode" | b"AHx" => ascii_hex(&raw),
            b"ASCII85Decode" | b"A85" => ascii_85(&raw, max).inspect_err(|_| *cost += max as u64)?,
            b"RunLengthDecode" | b"RL" => run_length(&raw, max).inspect_err(|_| *cost += max as u64)?,
            b"Crypt" => Decoded { data: raw, complete: true },
            _ => return Err(PdfError::Filter("an image filter, or one that is not known")),
        };
        if !is_flate(filter) {
            *cost += step.data.len() as u64;
        }
        decoded = Decoded { data: step.data, complete: step.complete && decoded.complete };
    }
    Ok(decoded)
}

/// The filters and their parameters, one by one.
fn chain(dict: &Dict) -> (Vec<Object>, Vec<Object>) {
    let filters = list(dict.get("Filter").or_else(|| dict.get("F")));
    (filters, list(dict.get("DecodeParms").or_else(|| dict.get("DP"))))
}

fn is_flate(filter: &Object) -> bool {
    matches!(filter.as_name(), Some(b"FlateDecode" | b"Fl"))
}

fn predict(decoded: Decoded, parms: &Dict) -> Result<Decoded, PdfError> {
    Ok(Decoded { data: Predictor::of(parms)?.undo(decoded.data), complete: decoded.complete })
}

fn list(value: Option<&Object>) -> Vec<Object> {
    match value {
        None => Vec::new(),
        Some(Object::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    }
}

/// Passes the data of a stream on in rows of `width` bytes, each behind [`CONTEXT`] bytes of anything; answers whether it
/// decoded to its end. Of a cross-reference stream as writers make them, no more than a block is in memory.
///
/// # Errors
/// As [`decode`].
pub(super) fn each_row(
    dict: &Dict,
    raw: Vec<u8>,
    width: usize,
    max: usize,
    mut row: impl FnMut(&[u8]),
) -> Result<bool, PdfError> {
    let mut data = vec![0; CONTEXT];
    let mut png = match only_flate(dict) {
        Some(Predictor::Plain) => None,
        Some(Predictor::Png { row, pixel }) if row == width => Some(PngRows::new(row, pixel)),
        _ => {
            let decoded = decode(dict, raw, max)?;
            data.extend_from_slice(&decoded.data);
            data.windows(CONTEXT + width).step_by(width).for_each(row);
            return Ok(decoded.complete);
        }
    };
    let line = width + usize::from(png.is_some());
    let mut inflating = Inflating::new(raw, max);
    data.reserve(BLOCK.max(2 * line));
    loop {
        inflating.fill(&mut data, CONTEXT + BLOCK.max(line))?;
        let whole = (data.len() - CONTEXT) / line * line;
        if let (Some(png), Some(lines)) = (&mut png, data.get_mut(CONTEXT..CONTEXT + whole)) {
            png.undo(lines);
        }
        let rows = data.get(line - width..CONTEXT + whole).unwrap_or_default();
        rows.windows(CONTEXT + width).step_by(line).for_each(&mut row);
        data.drain(CONTEXT..CONTEXT + whole);
        if let Some(end) = inflating.end() {
            return Ok(end == End::Complete);
        }
    }
}

/// Whether the one filter is Flate, without a predictor.
pub(super) fn is_plain_flate(dict: &Dict) -> bool {
    only_flate(dict) == Some(Predictor::Plain)
}

/// The predictor of the one filter, if that is Flate.
fn only_flate(dict: &Dict) -> Option<Predictor> {
    let (filters, parms) = chain(dict);
    let parms = parms.first().and_then(Object::as_dict);
    let is_only = matches!(filters.as_slice(), [only] if is_flate(only));
    is_only.then(|| parms.map_or(Ok(Predictor::Plain), Predictor::of).ok()).flatten()
}

/// zlib data; damage behind some output yields that output, as viewers do.
fn inflate(raw: Vec<u8>, max: usize, cost: &mut u64) -> Result<Decoded, PdfError> {
    let mut data = Vec::with_capacity(raw.len().saturating_mul(4).clamp(256, 1 << 20).min(max.max(1)));
    let mut inflating = Inflating::new(raw, max);
    let filled = inflating.fill(&mut data, usize::MAX);
    *cost += data.len() as u64;
    filled?;
    Ok(Decoded { data, complete: inflating.end() == Some(End::Complete) })
}

fn lzw(raw: &[u8], parms: &Dict, max: usize) -> Result<Decoded, PdfError> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    let early = usize::from(parms.get("EarlyChange").and_then(Object::as_int).unwrap_or(1) != 0);
    // An entry is the place of its bytes in the output: each is one byte longer than the string before it.
    let mut table: Vec<(usize, usize)> = Vec::new();
    let mut out: Vec<u8> = Vec::new();
    let mut previous: Option<(usize, usize)> = None;
    let (mut bits, mut width, mut held) = (0_u32, 9_u32, 0_u32);
    for &byte in raw {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= width {
            let code = (bits >> (held - width) & ((1 << width) - 1)) as usize;
            held -= width;
            bits &= (1 << held) - 1;
            if code == END {
                return Ok(Decoded { data: out, complete: true });
            }
            if code == CLEAR {
                table.clear();
                (previous, width) = (None, 9);
                continue;
            }
            let start = out.len();
            let broken = Decoded { data: Vec::new(), complete: false };
            match (code.checked_sub(258), previous) {
                (None, _) => out.push(u8::try_from(code).unwrap_or_default()),
                (Some(index), Some((at, len))) => {
                    let (at, len) = table.get(index).copied().unwrap_or((at, len + 1));
                    if index > table.len() || at + len > out.len() + 1 {
                        return Ok(Decoded { data: out, ..broken });
                    }
                    if out.len() + len > max {
                        return Err(PdfError::Limit("a stream expands to too many bytes"));
                    }
                    for offset in 0..len {
                        let byte = out.get(at + offset).copied().unwrap_or_default();
                        out.push(byte);
                    }
                }
                (Some(_), None) => return Ok(Decoded { data: out, ..broken }),
            }
            if let Some((at, len)) = previous
                && table.len() < 4096 - 258
            {
                table.push((at, len + 1));
            }
            previous = Some((start, out.len() - start));
            width = match table.len() + 258 + early {
                0..=511 => 9,
                512..=1023 => 10,
                1024..=2047 => 11,
                _ => 12,
            };
        }
    }
    Ok(Decoded { data: out, complete: false })
}

fn ascii_hex(raw: &[u8]) -> Decoded {
    let end = raw.iter().position(|&b| b == b'>');
    let mut digits = raw[..end.unwrap_or(raw.len())].to_vec();
    digits.retain(|&byte| hex_digit(byte).is_some());
    Decoded { data: hex_bytes(&digits).unwrap_or_default(), complete: end.is_some() }
}

fn ascii_85(raw: &[u8], max: usize) -> Result<Decoded, PdfError> {
    let mut data = Vec::with_capacity(raw.len() / 5 * 4);
    let mut group: Vec<u32> = Vec::with_capacity(5);
    let mut complete = false;
    let flush = |group: &mut Vec<u32>, data: &mut Vec<u8>| {
        if group.len() < 2 {
            return;
        }
        let keep = group.len() - 1;
        group.resize(5, 84);
        let value = group.iter().fold(0_u32, |value, &digit| value.wrapping_mul(85).wrapping_add(digit));
        data.extend(value.to_be_bytes().into_iter().take(keep));
        group.clear();
    };
    for &byte in raw {
        match byte {
            b'z' if group.is_empty() => data.extend([0; 4]),
            b'!'..=b'u' => {
                group.push(u32::from(byte - b'!'));
                if group.len() == 5 {
                    flush(&mut group, &mut data);
                }
            }
            b'~' => {
                complete = true;
                break;
            }
            space if is_space(space) => {}
            _ => break,
        }
        if data.len() > max {
            return Err(PdfError::Limit("a stream expands to too many bytes"));
        }
    }
    flush(&mut group, &mut data);
    Ok(Decoded { data, complete })
}

fn run_length(raw: &[u8], max: usize) -> Result<Decoded, PdfError> {
    let mut data = Vec::new();
    let mut rest = raw;
    while let Some((&length, behind)) = rest.split_first() {
        match length {
            128 => return Ok(Decoded { data, complete: true }),
            0..=127 => {
                let n = (usize::from(length) + 1).min(behind.len());
                let (run, next) = behind.split_at(n);
                data.extend_from_slice(run);
                rest = next;
            }
            _ => {
                let Some((&byte, next)) = behind.split_first() else { break };
                data.extend(std::iter::repeat_n(byte, 257 - usize::from(length)));
                rest = next;
            }
        }
        if data.len() > max {
            return Err(PdfError::Limit("a stream expands to too many bytes"));
        }
    }
    Ok(Decoded { data, complete: false })
}

/// Bytes before a row: a number of up to eight bytes that ends in the row can be read at once.
pub(super) const CONTEXT: usize = 8;
/// Bytes that are decoded at a time where not all are needed at once.
const BLOCK: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn dict(filter: &str) -> Dict {
        Dict::new().with("Filter", Object::name(filter))
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn small_filters() {
        assert_eq!(decode(&dict("ASCIIHexDecode"), b"48 65 6c6C 6f>".to_vec(), 99).unwrap().data, b"Hello");
        assert_eq!(
            decode(&dict("ASCII85Decode"), b"87cURD]j7BEbo80~>".to_vec(), 99).unwrap().data,
            b"Hello world!"
        );
        assert_eq!(
            decode(&dict("RunLengthDecode"), vec![1, b'a', b'b', 254, b'c', 128], 99).unwrap().data,
            b"abccc"
        );
        let lzw = vec![0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        let example = [45, 45, 45, 45, 45, 65, 45, 45, 45, 66];
        assert_eq!(decode(&dict("LZWDecode"), lzw, 99).unwrap().data, example);
    }

    #[test]
    fn predictors_are_undone() {
        let rows = [[1, 10, 1, 2, 3], [2, 1, 1, 1, 1], [3, 4, 4, 4, 4], [4, 1, 2, 3, 4], [0, 9, 8, 7, 6]];
        let parms = Dict::new().with("Predictor", 15).with("Columns", 4);
        let flate = dict("FlateDecode").with("DecodeParms", parms.clone());
        let expected =
            [[10, 11, 13, 16], [11, 12, 14, 17], [9, 14, 18, 21], [10, 16, 21, 25], [9, 8, 7, 6]].concat();
        let raw = zlib(rows.as_flattened());
        assert_eq!(decode(&flate, raw.clone(), 99).unwrap().data, expected);
        for width in [4, 5] {
            let mut seen = Vec::new();
            let complete = each_row(&flate, raw.clone(), width, 99, |row| seen.push(row[CONTEXT..].to_vec()));
            assert_eq!((complete, seen.concat()), (Ok(true), expected[..20 / width * width].to_vec()));
        }
        // Nobody has that many bytes.
        let absurd = parms.with("Colors", 1 << 20).with("Columns", 1 << 20).with("BitsPerComponent", 1 << 20);
        let absurd = dict("FlateDecode").with("DecodeParms", absurd);
        assert_eq!(decode(&absurd, zlib(&[2, 7, 7]), 99).unwrap().data, [7, 7]);
    }

    #[test]
    fn a_bomb_is_refused_and_damage_keeps_the_front() {
        let raw = zlib(&vec![b'a'; 1 << 20]);
        assert!(matches!(decode(&dict("FlateDecode"), raw.clone(), 1 << 16), Err(PdfError::Limit(_))));
        let cut = raw[..raw.len() / 2].to_vec();
        let decoded = decode(&dict("FlateDecode"), cut, 1 << 21).unwrap();
        assert!(!decoded.complete && !decoded.data.is_empty());
    }

    proptest! {
        #[test]
        fn inflate_undoes_deflate(bytes in proptest::collection::vec(any::<u8>(), 1..5000)) {
            let decoded = decode(&dict("FlateDecode"), zlib(&bytes), 5000).unwrap();
            prop_assert_eq!(decoded, Decoded { data: bytes, complete: true });
        }

        #[test]
        fn rows_are_what_is_decoded(
            kinds in proptest::collection::vec(0_u8..5, 1..40),
            width in 1_usize..7,
            predicted in any::<bool>(),
            lines in prop_oneof![0_usize..9, 5000_usize..9000],
            cut in 0_usize..9,
        ) {
            let line = |n: usize| {
                let kind = kinds[n % kinds.len()];
                let bytes = (0..width).map(move |i| (n * 7 + i * 31).to_le_bytes()[0]);
                predicted.then_some(kind).into_iter().chain(bytes)
            };
            let mut parms = Dict::new();
            if predicted {
                parms = parms.with("Predictor", 12).with("Columns", i64::try_from(width).unwrap());
            }
            let dict = dict("FlateDecode").with("DecodeParms", parms);
            let raw = zlib(&(0..lines).flat_map(line).collect::<Vec<u8>>());
            let raw = raw[..raw.len() - cut].to_vec();
            let whole = decode(&dict, raw.clone(), 1 << 20);
            let mut seen = Vec::new();
            let complete = each_row(&dict, raw, width, 1 << 20, |row| seen.extend_from_slice(&row[CONTEXT..]));
            let expected = whole.map(|mut whole| {
                whole.data.truncate(whole.data.len() / width * width);
                whole
            });
            prop_assert_eq!(complete.map(|complete| Decoded { data: seen, complete }), expected);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), predictor in 0_i64..16, columns in 0_i64..9) {
            let parms = Dict::new().with("Predictor", predictor).with("Columns", columns);
            for filter in ["FlateDecode", "LZWDecode", "ASCIIHexDecode", "ASCII85Decode", "RunLengthDecode"] {
                let _ = decode(&dict(filter).with("DecodeParms", parms.clone()), bytes.clone(), 10_000);
            }
            let _ = decode(&dict("FlateDecode").with("DecodeParms", parms), zlib(&bytes), 10_000);
        }
    }
}
