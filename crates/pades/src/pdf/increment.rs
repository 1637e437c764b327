//! Writing: objects one after another and the cross-reference section behind them, as a table (ISO 32000-2, 7.5.4)
//! or as a stream (7.5.8). The same writer appends a revision and finishes a whole file.

use std::io::Write as _;

use super::{
    object::{Dict, ObjRef, Object},
    write::{write_dict, write_object},
    xref::{Entry, Place, SectionKind},
};

/// Objects that are being written from an absolute offset on.
pub struct Increment {
    start: u64,
    first: u32,
    out: Vec<u8>,
    entries: Vec<Entry>,
    next: u32,
}

impl Increment {
    /// Objects from absolute offset `start` on; new ones are numbered from `next`.
    pub fn new(start: u64, next: u32) -> Self {
        Self { start, first: next, out: Vec::new(), entries: Vec::new(), next }
    }

    /// Absolute offset of the next byte.
    pub fn position(&self) -> u64 {
        self.start + self.out.len() as u64
    }

    /// Bytes that were written and not taken yet.
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// Hands out what was written so far, so that it need not be kept.
    pub fn drain(&mut self) -> Vec<u8> {
        self.start = self.position();
        std::mem::take(&mut self.out)
    }

    /// Writes bytes that are no object: a header, a line end.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Takes a fresh object number.
    pub fn allot(&mut self) -> ObjRef {
        let reference = ObjRef::new(self.next);
        self.next = self.next.saturating_add(1);
        reference
    }

    /// The first number that was free at the beginning.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// The next number [`Increment::allot`] would give.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Puts the objects of another writer, which began at offset 0, behind these; answers with their places here.
    pub fn append(&mut self, other: Self) -> Vec<(u32, u64)> {
        let base = self.position();
        self.out.extend_from_slice(&other.out);
        self.next = self.next.max(other.next);
        let mut places = Vec::with_capacity(other.entries.len());
        for entry in other.entries {
            if let Place::At { offset, generation } = entry.place() {
                let offset = base + offset;
                self.entries.push(Entry::new(entry.number(), Place::At { offset, generation }));
                places.push((entry.number(), offset));
            }
        }
        places
    }

    /// Makes room for so many more notes.
    pub(crate) fn expect(&mut self, notes: usize) {
        self.entries.reserve(notes);
    }

    /// Notes an object that lies elsewhere (earlier in the same file).
    pub fn note(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Writes `id` anew; the offset of its header is returned.
    pub fn object(&mut self, id: ObjRef, object: &Object) -> u64 {
        let at = self.open(id);
        write_object(&mut self.out, object);
        self.out.extend_from_slice(b"\nendobj\n");
        at
    }

    /// Writes `id` with a body given as bytes; the offset of the body is returned.
    pub fn verbatim(&mut self, id: ObjRef, body: &[u8]) -> u64 {
        self.open(id);
        let at = self.position();
        self.out.extend_from_slice(body);
        self.out.extend_from_slice(b"\nendobj\n");
        at
    }

    /// Writes a stream with its data; `/Length` is set.
    pub fn stream(&mut self, id: ObjRef, dict: &Dict, data: &[u8]) -> u64 {
        let at = self.open_stream(id, dict, data.len() as u64);
        self.out.extend_from_slice(data);
        self.close_stream();
        at
    }

    /// Writes the head of a stream whose `len` bytes the caller puts behind it.
    pub fn open_stream(&mut self, id: ObjRef, dict: &Dict, len: u64) -> u64 {
        let at = self.open(id);
        let mut dict = dict.clone();
        dict.set("Length", i64::try_from(len).unwrap_or(i64::MAX));
        write_dict(&mut self.out, &dict);
        self.out.extend_from_slice(b"\nstream\n");
        at
    }

    /// Ends a stream.
    pub fn close_stream(&mut self) {
        self.out.extend_from_slice(b"\nendstream\nendobj\n");
    }

    /// Accounts for `len` bytes that were put into the output without passing through here.
    pub fn skip(&mut self, len: u64) {
        self.start += len;
    }

    fn open(&mut self, id: ObjRef) -> u64 {
        let at = self.position();
        self.entries.push(Entry::new(id.number, Place::At { offset: at, generation: id.generation }));
        self.write(format_args!("{} {} obj\n", id.number, id.generation));
        at
    }

    /// Ends with the section, `startxref` and `%%EOF`. `trailer` is what is carried on; `/Size` and, for an appended
    /// revision, `/Prev` are set here. Returns the bytes not taken yet, the section's offset and the next free number.
    pub fn finish(mut self, kind: SectionKind, trailer: &Dict, prev: Option<u64>) -> Finished {
        let mut trailer = trailer.clone();
        if let Some(prev) = prev {
            trailer.set("Prev", i64::try_from(prev).unwrap_or(i64::MAX));
        }
        let at = self.position();
        match kind {
            SectionKind::Table => self.table(trailer),
            SectionKind::Stream => self.xref_stream(&trailer),
        }
        self.write(format_args!("startxref\n{at}\n%%EOF\n"));
        Finished { bytes: self.out, startxref: at, size: self.next }
    }

    fn table(&mut self, mut trailer: Dict) {
        trailer.set("Size", i64::from(self.next));
        let entries = self.sorted();
        self.out.reserve(20 * entries.len());
        self.out.extend_from_slice(b"xref\n");
        for run in runs(&entries) {
            let first = run.first().map_or(0, Entry::number);
            self.write(format_args!("{first} {}\n", run.len()));
            for entry in run {
                match entry.place() {
                    Place::At { offset, generation } => {
                        let mut line = *b"0000000000 00000 n \n";
                        let (digits, rest) = line.split_at_mut(10);
                        decimal(digits, offset);
                        decimal(rest.get_mut(1..6).unwrap_or_default(), u64::from(generation));
                        self.out.extend_from_slice(&line);
                    }
                    _ => self.out.extend_from_slice(b"0000000000 65535 f \n"),
                }
            }
        }
        self.out.extend_from_slice(b"trailer\n");
        write_dict(&mut self.out, &trailer);
        self.out.push(b'\n');
    }

    fn xref_stream(&mut self, trailer: &Dict) {
        let id = self.allot();
        let at = self.position();
        self.entries.push(Entry::new(id.number, Place::At { offset: at, generation: 0 }));
        let entries = self.sorted();
        let mut index = Vec::new();
        for run in runs(&entries) {
            index.push(Object::Int(run.first().map_or(0, |entry| i64::from(entry.number()))));
            index.push(Object::Int(i64::try_from(run.len()).unwrap_or(i64::MAX)));
        }
        // Rows that differ little from the one above compress to little, and quickly, as their differences (7.4.4.4).
        let predicted = entries.len() > FEW_ROWS;
        let mut rows = Vec::with_capacity(entries.len() * (ROW + 1));
        let mut above = [0; ROW];
        for entry in &entries {
            let (kind, middle, last): (u8, u64, u32) = match entry.place() {
                Place::Free => (0, 0, 0xffff),
                Place::At { offset, generation } => (1, offset, u32::from(generation)),
                Place::InStream { container, index } => (2, u64::from(container), index),
            };
            let (middle, last) = (middle.to_be_bytes(), last.to_be_bytes());
            let mut row = [kind; ROW];
            let fields = middle.iter().skip(3).chain(last.iter().skip(1));
            row.iter_mut().skip(1).zip(fields).for_each(|(slot, byte)| *slot = *byte);
            if predicted {
                rows.push(2);
                rows.extend(row.iter().zip(&above).map(|(byte, up)| byte.wrapping_sub(*up)));
                above = row;
            } else {
                rows.extend_from_slice(&row);
            }
        }
        let mut dict = Dict::new().with("Type", Object::name("XRef")).with("Size", i64::from(self.next));
        dict.set("W", vec![Object::Int(1), Object::Int(5), Object::Int(3)]);
        dict.set("Index", index);
        trailer.iter().for_each(|(key, value)| dict.push(key.to_vec(), value.clone()));
        dict.tidy();
        let data = deflate(&rows);
        dict.set("Filter", Object::name("FlateDecode"));
        if predicted {
            dict.set("DecodeParms", Dict::new().with("Predictor", 12).with("Columns", 9));
        }
        dict.set("Length", i64::try_from(data.len()).unwrap_or(i64::MAX));
        self.write(format_args!("{} 0 obj\n", id.number));
        write_dict(&mut self.out, &dict);
        self.out.extend_from_slice(b"\nstream\n");
        self.out.extend_from_slice(&data);
        self.close_stream();
    }

    /// By number; of two entries for one number the later one counts.
    fn sorted(&mut self) -> Vec<Entry> {
        let mut entries = std::mem::take(&mut self.entries);
        entries.reverse();
        entries.sort_by_key(Entry::number);
        entries.dedup_by_key(|entry| entry.number());
        entries
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a vector cannot fail.
        let _ = self.out.write_fmt(text);
    }
}

/// What [`Increment::finish`] leaves.
pub struct Finished {
    /// The bytes not taken yet.
    pub bytes: Vec<u8>,
    /// Absolute offset of the section.
    pub startxref: u64,
    /// The next free object number.
    pub size: u32,
}

/// The last digits of `value`, as many as there is room for.
fn decimal(room: &mut [u8], mut value: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (value % 10).to_le_bytes()[0];
        value /= 10;
    }
}

/// Runs of consecutive numbers.
fn runs(entries: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    entries.chunk_by(|a, b| b.number() == a.number() + 1)
}

/// Width of a cross-reference stream's row, by `/W [1 5 3]`.
const ROW: usize = 9;
/// Up to so many rows are not worth a predictor.
const FEW_ROWS: usize = 512;

/// zlib at a fixed level: the same bytes always give the same bytes.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
