//! What is true, whoever asks: people and offices, documents and their life, signatures asked for, registers,
//! policy profiles and audit entries.
//!
//! Pure rules: no socket, no clock, no random source, no SQL, no async. Time, chance and ids are arguments.

pub mod ids;
