//! Just enough DER to write certificates, lists, answers and tokens of any date; nothing of the crate under test.

use time::{OffsetDateTime, UtcOffset};

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(u8::try_from(short).unwrap()),
        long => {
            let bytes: Vec<u8> = long.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(bytes.len()).unwrap());
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

pub(super) fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(super) fn set(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    tlv(0x31, &parts.concat())
}

/// `[n]`, constructed.
pub(super) fn context(n: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0xa0 | n, &parts.concat())
}

pub(super) fn int(value: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.first().is_none_or(|byte| byte & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    tlv(0x02, &bytes)
}

pub(super) fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let groups = (0..10).rev().map(|n| (arc >> (7 * n)) & 0x7f).skip_while(|group| *group == 0);
        let groups: Vec<u8> = groups.map(|group| u8::try_from(group).unwrap()).collect();
        let groups = if groups.is_empty() { vec![0] } else { groups };
        let last = groups.len() - 1;
        content
            .extend(groups.iter().enumerate().map(|(n, group)| if n < last { group | 0x80 } else { *group }));
    }
    tlv(0x06, &content)
}

pub(super) fn octets(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

pub(super) fn bits(content: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], content].concat())
}

/// `CN=…` alone.
pub(super) fn name(common: &str) -> Vec<u8> {
    seq(&[set(vec![seq(&[oid("2.5.4.3"), tlv(0x0c, common.as_bytes())])])])
}

pub(super) fn generalized(at: OffsetDateTime) -> Vec<u8> {
    let at = at.to_offset(UtcOffset::UTC);
    let (hour, minute, second) = at.to_hms();
    let month = u8::from(at.month());
    let text = format!("{:04}{month:02}{:02}{hour:02}{minute:02}{second:02}Z", at.year(), at.day());
    tlv(0x18, text.as_bytes())
}

/// `Time` of X.509: two digits of the year until 2049.
pub(super) fn time(at: OffsetDateTime) -> Vec<u8> {
    let long = generalized(at);
    if at.year() < 2050 { tlv(0x17, &long[4..]) } else { long }
}

/// The content of the one element that `der` is.
pub(super) fn content(der: &[u8]) -> &[u8] {
    &der[header(der)..]
}

/// The elements within the one that `der` is.
pub(super) fn parts(der: &[u8]) -> Vec<&[u8]> {
    let mut rest = content(der);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (one, behind) = rest.split_at(header(rest) + length(rest));
        found.push(one);
        rest = behind;
    }
    found
}

fn header(der: &[u8]) -> usize {
    if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) }
}

fn length(der: &[u8]) -> usize {
    match der[1] {
        short @ 0..0x80 => usize::from(short),
        _ => der[2..header(der)].iter().fold(0, |all, byte| all << 8 | usize::from(*byte)),
    }
}
