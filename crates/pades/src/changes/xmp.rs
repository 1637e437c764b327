//! Whether a metadata packet is plain XMP: well-formed, without declarations that an XML reader might act on.

/// Deepest nesting of elements.
const DEPTH: usize = 64;

/// An `x:xmpmeta` element in UTF-8, its tags balanced, without `<!DOCTYPE` or `<!ENTITY`.
pub(crate) fn is_plain(packet: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(packet) else { return false };
    let mut open: Vec<&str> = Vec::new();
    let mut root = None;
    let mut rest = text.trim_start_matches('\u{FEFF}');
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        // Text outside the root element, or an entity that is not one of the five, is no XMP.
        if (open.is_empty() && !before.trim().is_empty()) || !plain_entities(before) {
            return false;
        }
        let Some(after) = skip(tag, &mut open, &mut root) else { return false };
        rest = after;
    }
    open.is_empty() && rest.trim().is_empty() && root == Some("x:xmpmeta") && text.contains("adobe:ns:meta/")
}

/// Takes one piece of markup; `None` if it is malformed or not allowed.
fn skip<'a>(tag: &'a str, open: &mut Vec<&'a str>, root: &mut Option<&'a str>) -> Option<&'a str> {
    for (start, end) in [("<?", "?>"), ("<!--", "-->")] {
        if let Some(body) = tag.strip_prefix(start) {
            return body.split_once(end).map(|(_, after)| after);
        }
    }
    if let Some(body) = tag.strip_prefix("<![CDATA[") {
        return body.split_once("]]>").map(|(_, after)| after);
    }
    if tag.starts_with("<!") {
        return None;
    }
    let end = end_of_tag(tag)?;
    let (tag, after) = tag.split_at_checked(end + 1)?;
    let inner = tag.strip_prefix('<')?.strip_suffix('>')?;
    if let Some(name) = inner.strip_prefix('/') {
        return (open.pop()? == name.trim_end()).then_some(after);
    }
    let name = inner.split(|c: char| c.is_whitespace() || c == '/').next().filter(|name| !name.is_empty())?;
    if open.is_empty() {
        if root.is_some() {
            return None;
        }
        *root = Some(name);
    }
    if !inner.ends_with('/') {
        open.push(name);
    }
    (open.len() <= DEPTH && plain_entities(inner)).then_some(after)
}

/// The `>` that closes a tag, which may also stand within an attribute's quotes.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => return Some(at),
            _ => {}
        }
    }
    None
}

fn plain_entities(text: &str) -> bool {
    text.split('&').skip(1).all(|rest| {
        let name = rest.split(';').next().unwrap_or_default();
        matches!(name, "amp" | "lt" | "gt" | "quot" | "apos") || name.starts_with('#')
    })
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    const GOOD: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description a=">"/>một &amp; hai</rdf:RDF></x:xmpmeta>
        <?xpacket end="w"?>"#;

    #[test]
    fn plain_packets_only() {
        assert!(is_plain(GOOD.as_bytes()));
        for bad in [
            "This is bogus data, yay!",
            "",
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'>",
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'><a></b></x:xmpmeta>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>",
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'>&a;</x:xmpmeta>",
            "<root xmlns:x='adobe:ns:meta/'></root>",
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta><more/>",
        ] {
            assert!(!is_plain(bad.as_bytes()), "{bad}");
        }
    }
}
