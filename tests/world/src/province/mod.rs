//! The imaginary province: people, their SIMs, images and documents, and the file that imports them into the product.

pub(crate) mod fixtures;
pub(crate) mod import;
pub(crate) mod people;
