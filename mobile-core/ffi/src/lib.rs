//! uniffi bindings of mobile-core.
