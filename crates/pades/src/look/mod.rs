//! What signatures, the seal and filled texts look like: images, an embedded font, appearance streams.
//!
//! NĐ 30/2020 Phụ lục I: the authorised person's signature is a blue image without text, the organisation's a red
//! image of the seal in its real size; number and date are set in the document's own kind of type. Nothing here says
//! "valid": a picture cannot know (`verify` does).

mod appearance;
mod face;
mod image;
mod stamp;
mod text;

pub(crate) use appearance::{
    Align, Line, POINTS, default_appearance, empty, parts_of, picture, points_of, typeset,
};
pub use face::{FORM_FONT_VERSION, Face, Undrawable, VIETNAMESE_LETTERS};
pub use image::{BadImage, PreparedImage};
pub(crate) use stamp::framed;
pub(crate) use text::text_object;
pub use text::text_string;

/// The name of the form's font in its resources.
pub const FORM_FONT_NAME: &str = "TrkSerif";
