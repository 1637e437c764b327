//! Text strings (ISO 32000-2, 7.9.2.2): UTF-16BE with its mark, or plain ASCII; read also as `PDFDocEncoding` and UTF-8.

use unicode_normalization::UnicodeNormalization as _;

use crate::pdf::Object;

/// A text as a string object, in NFC: ASCII as it is, everything else as UTF-16BE.
pub(crate) fn text_object(text: &str) -> Object {
    let text: String = text.nfc().collect();
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Object::Str(text.into_bytes());
    }
    let mut bytes = vec![0xfe, 0xff];
    bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    Object::Str(bytes)
}

/// The text of a string object; what does not decode becomes U+FFFD.
pub fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|&byte| pdf_doc(byte)).collect(),
    }
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(unit);
    char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()
}

/// `PDFDocEncoding` (Annex D.2).
fn pdf_doc(byte: u8) -> char {
    const LOW: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
    const HIGH: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ',
        'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    match byte {
        0x18..=0x1f => LOW.get(usize::from(byte - 0x18)).copied().unwrap_or('\u{fffd}'),
        0x80..=0xa0 => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_goes_as_utf_16_in_nfc() {
        let decomposed = "Quye\u{302}\u{301}t";
        let Object::Str(bytes) = text_object(decomposed) else { panic!("a string") };
        assert_eq!(text_string(&bytes), "Quyết");
        assert_eq!(text_object("29/2021"), Object::Str(b"29/2021".to_vec()));
        assert_eq!(text_string(b"\x84\xe9"), "—é");
    }
}
