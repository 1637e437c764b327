//! What single bytes are (7.2.3), and hex digits. Every byte of a file is asked about, so tables answer.

/// White space by 7.2.3.
pub fn is_space(byte: u8) -> bool {
    CLASS[usize::from(byte)] & SPACE != 0
}

/// Neither white space nor delimiter.
pub fn is_regular(byte: u8) -> bool {
    CLASS[usize::from(byte)] & (SPACE | DELIMITER) == 0
}

pub(super) const SPACE: u8 = 1;
pub(super) const DELIMITER: u8 = 2;
pub(super) const HEX: u8 = 4;
pub(super) const HASH: u8 = 8;
/// Outside of printable ASCII: a name has it as `#xx` (7.3.5).
pub(super) const UNPRINTABLE: u8 = 16;

/// What each byte is. Every byte of a file's objects is asked about several times.
pub(super) static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let classes: [(&[u8], u8); 4] = [
        (b"\0\t\n\x0c\r ", SPACE),
        (b"()<>[]{}/%", DELIMITER),
        (b"0123456789abcdefABCDEF", HEX),
        (b"#", HASH),
    ];
    let mut class = 0;
    while class < classes.len() {
        let (bytes, bit) = classes[class];
        let mut byte = 0;
        while byte < bytes.len() {
            table[bytes[byte] as usize] |= bit;
            byte += 1;
        }
        class += 1;
    }
    let mut byte = 0;
    while byte < table.len() {
        if byte < 0x21 || byte > 0x7e {
            table[byte] |= UNPRINTABLE;
        }
        byte += 1;
    }
    table
};

/// The value of a hex digit.
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    Some(NIBBLES[usize::from(byte)]).filter(|&nibble| nibble < 16)
}

/// The bytes that hex digits stand for, a single last one completed by a zero; `None` if anything else is among them.
pub(crate) fn hex_bytes(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, single) = digits.as_chunks::<2>();
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(2));
    let mut all = 0;
    bytes.extend(pairs.iter().map(|&[high, low]| {
        let (high, low) = (NIBBLES[usize::from(high)], NIBBLES[usize::from(low)]);
        all |= high | low;
        high << 4 | low
    }));
    if let &[high] = single {
        let high = NIBBLES[usize::from(high)];
        all |= high;
        bytes.push(high << 4);
    }
    (all < 16).then_some(bytes)
}

/// The value of each hex digit; 255 for every other byte.
static NIBBLES: [u8; 256] = {
    let mut table = [255; 256];
    let digits = b"0123456789abcdef";
    let mut value: u8 = 0;
    while value < 16 {
        let digit = digits[value as usize];
        table[digit as usize] = value;
        table[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    table
};
