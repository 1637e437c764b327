//! Reading PDF files (ISO 32000-2, clause 7): lexer, objects, cross-reference, revisions, pages.
//!
//! Not a general PDF library: it reads what signing and verifying need, knows for every object which revision put
//! it where, and never holds a file in memory.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use trinhky_pades::pdf::{File, Limits};
//! # let bytes = trinhky_pades::pdf::minimal();
//! let file = File::open(&bytes, &Limits::default())?;
//! let latest = file.latest();
//! let page = latest.page(latest.pages()?[0])?;
//! assert_eq!(file.revisions().len(), 1);
//! assert_eq!(page.displayed_size(), (200.0, 100.0));
//! # Ok(()) }
//! ```

mod chain;
mod error;
mod file;
mod filter;
mod increment;
mod indirect;
mod lexer;
mod limits;
mod object;
mod objstm;
mod pages;
mod repair;
mod sweep;
mod text;
mod textfont;
mod view;
mod write;
mod xref;

pub use chain::{Revision, SectionInfo};
pub use error::PdfError;
pub use file::{File, Oddities, find};
pub use filter::{Decoded, decode};
pub(crate) use increment::{Increment, deflate};
pub(crate) use indirect::UsualHeaders;
pub use indirect::{Indirect, header_at, read_indirect};
pub(crate) use lexer::hex_bytes;
pub use lexer::{Item, Lack, Lexer, Spans, is_regular, is_space};
pub use limits::Limits;
pub use object::{Dict, ObjRef, Object, Stream};
pub(crate) use pages::PageTree;
pub use pages::{Page, Rect};
pub(crate) use text::Kind;
pub use text::{TextLine, Word};
pub use view::View;
pub use write::{write_dict, write_object};
pub use xref::{Entry, Place, SectionKind};

/// The smallest file with a page (200 × 100 points): for examples and tests.
pub fn minimal() -> Vec<u8> {
    let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Resources << >> >>",
    ];
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let xref = file.len();
    file.extend(b"xref\n0 4\n0000000000 65535 f \n");
    for offset in offsets {
        file.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    file.extend(format!("trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n").bytes());
    file
}
