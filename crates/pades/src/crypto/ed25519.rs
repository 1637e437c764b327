//! What Ed25519 leaves to the verifier (RFC 8032 5.1.7, 8.9), decided once for every provider: strictly.
//!
//! A value holds only if `S` is below the order of the group, `[S]B = R + [k]A` without the cofactor with `R` compared
//! as bytes, and neither `A` nor `R` is of small order or encoded in another way than the one of 5.1.2. (With a key of
//! small order, one value is good for almost every message: such a signature binds nobody.) It is the function
//! `verify_strict` of `ed25519-dalek`, and the strictest of the variants that "Taming the Many `EdDSAs`" compares.

/// Octets of a point, and of a public key.
pub(super) const POINT: usize = 32;
/// Octets of a value: `R`, then `S`.
pub(super) const VALUE: usize = 64;

/// Whether `encoded` may be a point here: y is below the field's prime (5.1.3, step 1), and the order is not small.
///
/// That there is such a point on the curve is for the arithmetic to find out.
pub(super) fn is_strict_point(encoded: &[u8; POINT]) -> bool {
    let mut y = *encoded;
    // The sign of x is no part of y; P and -P have the same order.
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let is_below = y.iter().rev().lt(PRIME.iter().rev());
    is_below && !SMALL_ORDER.contains(&y)
}

/// Whether key and `R` of the value may be points here.
pub(super) fn are_strict_points(key: &[u8; POINT], value: &[u8; VALUE]) -> bool {
    value.first_chunk().is_some_and(is_strict_point) && is_strict_point(key)
}

/// 2^255 - 19, little-endian as everything here.
const PRIME: [u8; POINT] = filled(0xed, 0x7f);

/// The y of the eight points whose order divides the cofactor.
const SMALL_ORDER: [[u8; POINT]; 5] = [
    // Order 4: (±√-1, 0).
    [0; POINT],
    // Order 1: (0, 1).
    {
        let mut one = [0; POINT];
        one[0] = 1;
        one
    },
    // Order 2: (0, -1).
    filled(0xec, 0x7f),
    // Order 8: two values of y, two of x for each.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const fn filled(first: u8, last: u8) -> [u8; POINT] {
    let mut octets = [0xff; POINT];
    octets[0] = first;
    octets[POINT - 1] = last;
    octets
}

#[cfg(all(test, feature = "pure"))]
mod tests {
    use super::{POINT, SMALL_ORDER, is_strict_point};
    use ed25519_dalek::VerifyingKey;

    fn signs(y: [u8; POINT]) -> [[u8; POINT]; 2] {
        let mut negative = y;
        negative[POINT - 1] |= 0x80;
        [y, negative]
    }

    #[test]
    fn the_points_of_small_order_are_these() {
        for point in SMALL_ORDER.into_iter().flat_map(signs) {
            assert!(!is_strict_point(&point));
            // Where x is 0, the encoding with its sign set is none.
            if let Ok(key) = VerifyingKey::from_bytes(&point) {
                assert!(key.is_weak(), "{point:02x?}");
            }
        }
    }

    #[test]
    fn a_point_has_one_encoding() {
        // y + p still fits into 255 bits for y below 19; the first octet then is 0xed + y.
        for y in 0..19_u8 {
            let mut again = [0xff; POINT];
            (again[0], again[POINT - 1]) = (0xed + y, 0x7f);
            for point in signs(again) {
                assert!(!is_strict_point(&point), "{y}");
            }
            let mut plain = [0; POINT];
            plain[0] = y;
            for point in signs(plain) {
                let weak = VerifyingKey::from_bytes(&point).is_ok_and(|key| key.is_weak());
                assert!(y == 1 || is_strict_point(&point) != weak, "{y}");
            }
        }
    }
}
