//! What a reader is willing to spend on one file. Every bound is reached with an error, never with a panic or a hang.

/// Bounds of reading; [`Limits::default`] fits office documents up to 1 GB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest file, in bytes.
    pub file_len: u64,
    /// Highest object number and number of cross-reference entries in one section.
    pub objects: u32,
    /// Most cross-reference sections, all revisions together.
    pub sections: usize,
    /// Deepest nesting of arrays and dictionaries, of the page tree, and of references that lead to references.
    pub depth: usize,
    /// Longest single object without its stream data, in bytes.
    pub object_len: usize,
    /// Most bytes one stream may expand to.
    pub inflated_len: usize,
    /// Most bytes all decoded streams together may expand to within one operation.
    pub inflated_total: u64,
    /// Most work of reading within one operation, in bytes: those of objects, each time they are copied, and eight times
    /// those of their text, each time it is parsed. A long file may cost sixteen times its length more.
    pub work: u64,
    /// Most pages that are walked.
    pub pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_len: 1 << 30,
            objects: 1_000_000,
            sections: 4096,
            depth: 64,
            object_len: 32 << 20,
            inflated_len: 64 << 20,
            inflated_total: 512 << 20,
            work: 3 << 30,
            pages: 100_000,
        }
    }
}
