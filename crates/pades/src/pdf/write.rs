//! Objects as bytes (ISO 32000-2, 7.3), in one fixed form, so that the same values always give the same bytes.

use std::io::Write as _;

use super::{
    lexer::is_regular,
    object::{Dict, Object},
};

/// Appends an object; a stream contributes its dictionary only.
pub fn write_object(out: &mut Vec<u8>, object: &Object) {
    match object {
        Object::Null => out.extend_from_slice(b"null"),
        Object::Bool(true) => out.extend_from_slice(b"true"),
        Object::Bool(false) => out.extend_from_slice(b"false"),
        Object::Int(value) => write(out, format_args!("{value}")),
        Object::Real(value) => write_real(out, *value),
        Object::Name(name) => write_name(out, name),
        Object::Str(bytes) => write_string(out, bytes),
        Object::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b' ');
                }
                write_object(out, item);
            }
            out.push(b']');
        }
        Object::Dict(dict) => write_dict(out, dict),
        Object::Stream(stream) => write_dict(out, &stream.dict),
        Object::Ref(reference) => write(out, format_args!("{reference}")),
    }
}

/// Appends a dictionary.
pub fn write_dict(out: &mut Vec<u8>, dict: &Dict) {
    out.extend_from_slice(b"<<");
    for (key, value) in dict.iter() {
        out.push(b' ');
        write_name(out, key);
        out.push(b' ');
        write_object(out, value);
    }
    out.extend_from_slice(b" >>");
}

fn write_real(out: &mut Vec<u8>, value: f64) {
    // `Display` of f64 never uses an exponent and gives back the same value.
    let value = if value.is_finite() { value } else { 0.0 };
    write(out, format_args!("{value}"));
}

fn write_name(out: &mut Vec<u8>, name: &[u8]) {
    out.push(b'/');
    for &byte in name {
        if is_regular(byte) && byte != b'#' && (0x21..=0x7e).contains(&byte) {
            out.push(byte);
        } else {
            write(out, format_args!("#{byte:02X}"));
        }
    }
}

/// Literal if it is mostly printable, else hex.
fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.iter().any(|&b| !(0x20..=0x7e).contains(&b)) {
        out.push(b'<');
        for byte in bytes {
            write(out, format_args!("{byte:02X}"));
        }
        out.push(b'>');
        return;
    }
    out.push(b'(');
    for &byte in bytes {
        if matches!(byte, b'(' | b')' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b')');
}

fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pdf::{Lexer, ObjRef};

    fn any_object() -> impl Strategy<Value = Object> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..12);
        let name = || proptest::collection::vec(1..=255_u8, 0..8);
        let leaf = prop_oneof![
            Just(Object::Null),
            any::<bool>().prop_map(Object::Bool),
            (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(Object::Int),
            (-1e6..1e6_f64).prop_map(|v| Object::Real(v.trunc() + 0.5)),
            name().prop_map(Object::Name),
            bytes().prop_map(Object::Str),
            (1..1_000_000_u32, any::<u16>())
                .prop_map(|(number, generation)| Object::Ref(ObjRef { number, generation })),
        ];
        leaf.prop_recursive(3, 20, 5, move |inner| {
            let entries = proptest::collection::vec((name(), inner.clone()), 0..5);
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(Object::Array),
                entries.prop_map(|entries| {
                    let mut dict = Dict::new();
                    for (key, value) in entries {
                        dict.set(key, value);
                    }
                    Object::Dict(dict)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(object in any_object()) {
            let mut bytes = Vec::new();
            write_object(&mut bytes, &object);
            prop_assert_eq!(Lexer::new(&bytes, 0, 16).whole().object().unwrap(), object);
        }
    }
}
