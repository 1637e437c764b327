//! Names and strings (ISO 32000-2, 7.3.4 and 7.3.5).

use super::{Lack, Lexer, hex_bytes, hex_digit, is_regular, is_space};

impl Lexer<'_> {
    pub(super) fn name(&mut self) -> Result<Vec<u8>, Lack> {
        self.pos += 1;
        let mut name = Vec::new();
        loop {
            match self.peek() {
                None if self.whole => return Ok(name),
                None => return Err(Lack::More),
                Some(b'#') => {
                    let hex = self.rest().get(1..3);
                    self.pos += 1;
                    let byte =
                        hex.and_then(|hex| Some(hex_digit(*hex.first()?)? << 4 | hex_digit(*hex.get(1)?)?));
                    match byte {
                        Some(byte) => {
                            name.push(byte);
                            self.pos += 2;
                        }
                        None => name.push(b'#'),
                    }
                }
                Some(byte) if is_regular(byte) => {
                    name.push(byte);
                    self.pos += 1;
                }
                Some(_) => return Ok(name),
            }
        }
    }

    pub(super) fn literal_string(&mut self) -> Result<Vec<u8>, Lack> {
        self.pos += 1;
        let mut out = Vec::new();
        let mut open = 1_usize;
        loop {
            match self.bump().ok_or(Lack::More)? {
                b'(' => {
                    open += 1;
                    out.push(b'(');
                }
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Ok(out);
                    }
                    out.push(b')');
                }
                b'\\' => self.escape(&mut out)?,
                b'\r' => {
                    if self.peek() == Some(b'\n') {
                        self.pos += 1;
                    }
                    out.push(b'\n');
                }
                byte => out.push(byte),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), Lack> {
        match self.bump().ok_or(Lack::More)? {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'\n' => {}
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.pos += 1;
                }
            }
            digit @ b'0'..=b'7' => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    let Some(next @ b'0'..=b'7') = self.peek() else { break };
                    value = value * 8 + u32::from(next - b'0');
                    self.pos += 1;
                }
                out.push(u8::try_from(value & 0xff).unwrap_or_default());
            }
            other => out.push(other),
        }
        Ok(())
    }

    pub(super) fn hex_string(&mut self) -> Result<Vec<u8>, Lack> {
        self.pos += 1;
        let rest = self.rest();
        let len = memchr::memchr(b'>', rest).ok_or(Lack::More)?;
        // Signatures are tens of thousands of digits without a blank.
        if let Some(bytes) = rest.get(..len).and_then(hex_bytes) {
            self.pos += len + 1;
            return Ok(bytes);
        }
        let mut out = Vec::with_capacity(len / 2 + 1);
        let mut high = None;
        loop {
            let byte = self.bump().ok_or(Lack::More)?;
            if byte == b'>' {
                out.extend(high.map(|high: u8| high << 4));
                return Ok(out);
            }
            if is_space(byte) {
                continue;
            }
            let Some(digit) = hex_digit(byte) else { return self.bad("a hex string holds something else") };
            match high.take() {
                None => high = Some(digit),
                Some(high) => out.push(high << 4 | digit),
            }
        }
    }
}
