//! Text strings (ISO 32000-2, 7.9.2.2) as Unicode.

use unicode_normalization::UnicodeNormalization;

/// A text string: UTF-16 with its byte order mark, UTF-8 with its own, or `PDFDocEncoding`; composed (NFC).
pub(crate) fn text_string(bytes: &[u8]) -> String {
    let text: String = match bytes {
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|&byte| pdf_doc(byte)).collect(),
    };
    text.nfc().collect()
}

/// Text as two people would read it: composed, every run of white space one blank, none at the ends.
pub(crate) fn readable(text: &str) -> String {
    text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [a, b] => unit([*a, *b]),
        _ => 0xFFFD,
    });
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// `PDFDocEncoding` (Annex D.3): Latin-1 but for two rows.
pub(super) fn pdf_doc(byte: u8) -> char {
    const LOW: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
    const HIGH: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ',
        'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{FFFD}', '€',
    ];
    let table =
        |row: &[char], at: u8| row.get(usize::from(at)).copied().unwrap_or(char::REPLACEMENT_CHARACTER);
    match byte {
        0x18..=0x1F => table(&LOW, byte - 0x18),
        0x80..=0xA0 => table(&HIGH, byte - 0x80),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_encoding() {
        assert_eq!(text_string(b"\xFE\xFF\x1E\xD1"), "ố");
        assert_eq!(text_string(b"\xEF\xBB\xBFS\xE1\xBB\x91"), "Số");
        assert_eq!(text_string(b"caf\xE9 \xA0"), "café €");
        assert_eq!(text_string("S\u{FEFF}".as_bytes()), "Sï»¿");
        assert_eq!(text_string(b"\xFE\xFF\x00o\x03\x02\x03\x01"), "ố");
    }
}
