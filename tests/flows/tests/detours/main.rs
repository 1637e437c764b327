//! What happens beside the straight way, and leads back to it.
//!
//! | module | what |
//! |---|---|
//! | [`late`] | a signature that came after its wish was withdrawn: adopted, or given up |
//! | [`returned`] | a document that was given back, corrected, and released after all |
//! | [`years`] | a number taken before the signature, and the turn of the year |
//! | [`told`] | who is told when an attempt comes to nothing |
//! | [`races`] | answers to whoever comes second |
//! | [`office`] | what the import says of an office, and what becomes of it |

mod late;
mod office;
mod races;
mod returned;
mod told;
mod years;
