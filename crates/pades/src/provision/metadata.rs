//! The document's metadata as strict readers want them: XMP in `x:xmpmeta`, or none.
//!
//! Programs of before 2005 left the envelope out, which the XMP specification allows (part 1, 7.3.3) and verifiers do not
//! know: they take a signed file with such a packet for one that was tampered with. What is no XMP at all goes; but not
//! from a file that says it is PDF/A, which must have its metadata as they are.

use crate::changes::xmp;

/// What becomes of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// It stays.
    Kept,
    /// The same in its envelope.
    Enveloped(Vec<u8>),
    /// It is no XMP.
    Useless,
}

/// Looks at a decoded metadata stream.
pub(super) fn look(packet: &[u8]) -> Packet {
    if packet.starts_with(&[0xfe, 0xff]) || packet.starts_with(&[0xff, 0xfe]) {
        // UTF-16, which is allowed and rare.
        return Packet::Kept;
    }
    let Ok(text) = std::str::from_utf8(packet) else { return Packet::Useless };
    if text.contains("xmpmeta") && text.contains("adobe:ns:meta/") {
        return Packet::Kept;
    }
    let (Some(start), Some(end)) = (text.find("<rdf:RDF"), text.rfind(END)) else { return Packet::Useless };
    let end = end + END.len();
    let (Some(head), Some(body), Some(tail)) = (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return Packet::Useless;
    };
    let enveloped =
        format!("{head}<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">{body}</x:xmpmeta>{tail}").into_bytes();
    if xmp::is_plain(&enveloped) { Packet::Enveloped(enveloped) } else { Packet::Useless }
}

const END: &str = "</rdf:RDF>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_packets_get_their_envelope() {
        let old = "<?xpacket begin=''?><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
                   <rdf:Description about=''/></rdf:RDF><?xpacket end='r'?>";
        let Packet::Enveloped(now) = look(old.as_bytes()) else { panic!("not enveloped") };
        let now = String::from_utf8(now).unwrap();
        assert!(
            now.contains("<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF")
                && now.ends_with("<?xpacket end='r'?>")
        );
        assert_eq!(
            now.replace("<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">", "").replace("</x:xmpmeta>", ""),
            old
        );
        assert_eq!(look(now.as_bytes()), Packet::Kept);
    }

    #[test]
    fn what_is_no_xmp_goes() {
        for bad in ["", "This is bogus data, yay!", "<rdf:RDF><a></rdf:RDF>", "</rdf:RDF><rdf:RDF"] {
            assert_eq!(look(bad.as_bytes()), Packet::Useless, "{bad}");
        }
        assert_eq!(
            look(b"<?xpacket begin=\"\xef\xbb? id=\"W5M0\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>"),
            Packet::Useless
        );
        assert_eq!(look(b"\xfe\xff\0<\0x"), Packet::Kept);
    }
}
