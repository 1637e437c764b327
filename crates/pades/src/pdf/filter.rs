//! Stream filters (ISO 32000-2, 7.4) that a reader of structure and text needs: Flate and LZW with predictors,
//! ASCII hex, ASCII 85 and run length. Image filters (DCT, JPX, CCITT, JBIG2) are left alone. Every decoder is bounded.

use flate2::{Decompress, FlushDecompress, Status};

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
    let filters = list(dict.get("Filter").or_else(|| dict.get("F")));
    let parms = list(dict.get("DecodeParms").or_else(|| dict.get("DP")));
    if filters.len() > 8 {
        return Err(PdfError::Limit("too many filters on one stream"));
    }
    let mut decoded = Decoded { data: raw, complete: true };
    for (index, filter) in filters.iter().enumerate() {
        let empty = Dict::new();
        let parms = parms.get(index).and_then(Object::as_dict).unwrap_or(&empty);
        let raw = decoded.data;
        let step = match filter.as_name().unwrap_or_default() {
            b"FlateDecode" | b"Fl" => predict(inflate(&raw, max)?, parms)?,
            b"LZWDecode" | b"LZW" => predict(lzw(&raw, parms, max)?, parms)?,
            b"ASCIIHexDecode" | b"AHx" => ascii_hex(&raw),
            b"ASCII85Decode" | b"A85" => ascii_85(&raw, max)?,
            b"RunLengthDecode" | b"RL" => run_length(&raw, max)?,
            b"Crypt" => Decoded { data: raw, complete: true },
            _ => return Err(PdfError::Filter("an image filter, or one that is not known")),
        };
        decoded = Decoded { data: step.data, complete: step.complete && decoded.complete };
    }
    Ok(decoded)
}

fn list(value: Option<&Object>) -> Vec<Object> {
    match value {
        None => Vec::new(),
        Some(Object::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    }
}

/// zlib data (RFC 1950); damage behind some output yields that output, as viewers do.
fn inflate(raw: &[u8], max: usize) -> Result<Decoded, PdfError> {
    let mut state = Decompress::new(true);
    let mut data = Vec::with_capacity(raw.len().saturating_mul(4).clamp(256, 1 << 20).min(max.max(1)));
    loop {
        let taken = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
        let input = raw.get(taken..).unwrap_or_default();
        let before = (state.total_in(), data.len());
        match state.decompress_vec(input, &mut data, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return Ok(Decoded { data, complete: true }),
            Ok(_) if data.len() > max => return Err(PdfError::Limit("a stream expands to too many bytes")),
            Ok(_) if data.len() == data.capacity() => {
                data.reserve_exact(data.len().max(256).min(max - data.len() + 1));
            }
            Ok(_) if before == (state.total_in(), data.len()) => break,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    if data.is_empty() && !raw.is_empty() {
        return Err(PdfError::Filter("the compressed data is damaged"));
    }
    Ok(Decoded { data, complete: false })
}

/// Undoes `/Predictor` (7.4.4.4): TIFF (2) for 8-bit components, PNG (10 and above).
fn predict(decoded: Decoded, parms: &Dict) -> Result<Decoded, PdfError> {
    let number = |key: &str, default: i64| parms.get(key).and_then(Object::as_int).unwrap_or(default);
    let predictor = number("Predictor", 1);
    if predictor < 2 {
        return Ok(decoded);
    }
    let bad = || PdfError::Filter("the predictor's parameters make no sense");
    let size = |key: &str, default: i64| {
        usize::try_from(number(key, default)).ok().filter(|&n| (1..=1 << 20).contains(&n)).ok_or_else(bad)
    };
    let (colors, bits, columns) = (size("Colors", 1)?, size("BitsPerComponent", 8)?, size("Columns", 1)?);
    let pixel = (colors * bits).div_ceil(8);
    let row = colors.checked_mul(bits).and_then(|n| n.checked_mul(columns)).ok_or_else(bad)?.div_ceil(8);
    if predictor == 2 {
        return if bits == 8 { Ok(tiff(decoded, row, colors)) } else { Err(bad()) };
    }
    let mut out: Vec<u8> = Vec::with_capacity(decoded.data.len());
    let mut above = vec![0; row];
    for line in decoded.data.chunks(row + 1) {
        let Some((&kind, bytes)) = line.split_first() else { break };
        if kind == 2 {
            // What cross-reference streams use.
            for (up, byte) in above.iter_mut().zip(bytes) {
                *up = byte.wrapping_add(*up);
            }
            out.extend_from_slice(above.get(..bytes.len()).unwrap_or_default());
            continue;
        }
        let mut current = vec![0; row];
        for (index, &byte) in bytes.iter().enumerate() {
            let at = |row: &[u8], back: usize| {
                index.checked_sub(back).and_then(|i| row.get(i)).copied().unwrap_or(0)
            };
            let (left, up, corner) = (at(&current, pixel), at(&above, 0), at(&above, pixel));
            let guess = match kind {
                1 => left,
                2 => up,
                3 => u8::midpoint(left, up),
                4 => paeth(left, up, corner),
                _ => 0,
            };
            if let Some(slot) = current.get_mut(index) {
                *slot = byte.wrapping_add(guess);
            }
        }
        out.extend_from_slice(current.get(..bytes.len()).unwrap_or_default());
        above = current;
    }
    Ok(Decoded { data: out, complete: decoded.complete })
}

fn tiff(mut decoded: Decoded, row: usize, colors: usize) -> Decoded {
    for line in decoded.data.chunks_mut(row) {
        for index in colors..line.len() {
            let left = index.checked_sub(colors).and_then(|i| line.get(i)).copied().unwrap_or(0);
            if let Some(byte) = line.get_mut(index) {
                *byte = byte.wrapping_add(left);
            }
        }
    }
    decoded
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
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), predictor in 0_i64..16, columns in 0_i64..9) {
            let parms = Dict::new().with("Predictor", predictor).with("Columns", columns);
            for filter in ["FlateDecode", "LZWDecode", "ASCIIHexDecode", "ASCII85Decode", "RunLengthDecode"] {
                let _ = decode(&dict(filter).with("DecodeParms", parms.clone()), bytes.clone(), 10_000);
            }
            let _ = decode(&dict("FlateDecode").with("DecodeParms", parms), zlib(&bytes), 10_000);
        }
    }
}
