//! What the province's people bring along: signature and seal images, and a document worth signing.
//!
//! All made by code from one bundled font, so that nothing here was taken from a real person or office.

pub(crate) mod document;
pub(crate) mod face;
pub(crate) mod images;
pub(crate) mod raster;
