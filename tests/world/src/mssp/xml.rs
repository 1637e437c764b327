//! A namespace-aware tree of a small XML document, for the strict reading of requests.
//!
//! No DTD, no entities beyond the five of XML, no processing instructions; depth and size are bounded.

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesStart, Event},
    name::ResolveResult,
};

const MAX_DEPTH: usize = 16;

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Unqualified attributes; qualified ones are kept under their raw name.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
    pub(crate) text: String,
}

/// Why a document was not read.
#[derive(Debug, thiserror::Error)]
#[error("not well-formed: {0}")]
pub(crate) struct NotXml(String);

impl Node {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first child of that local name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Reads a whole document.
pub(crate) fn parse(text: &str) -> Result<Node, NotXml> {
    let trouble = |error: &dyn std::fmt::Display| NotXml(error.to_string());
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    loop {
        let (resolved, event) = reader.read_resolved_event().map_err(|error| trouble(&error))?;
        match event {
            Event::Start(start) => {
                let namespace = match resolved {
                    ResolveResult::Bound(namespace) => namespace.as_ref().to_owned(),
                    ResolveResult::Unbound => String::new(),
                    ResolveResult::Unknown(prefix) => {
                        return Err(NotXml(format!("prefix {prefix} is not bound")));
                    }
                };
                if open.len() >= MAX_DEPTH || root.is_some() {
                    return Err(NotXml("too deep, or a second root".into()));
                }
                open.push(element(namespace, &start)?);
            }
            Event::End(_) => {
                let Some(node) = open.pop() else { return Err(NotXml("end without start".into())) };
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => root = Some(node),
                }
            }
            Event::Text(text) => add_text(&mut open, &text.xml10_content())?,
            Event::CData(text) => add_text(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let escaped = format!("&{};", reference.xml10_content());
                let text = quick_xml::escape::unescape(&escaped).map_err(|error| trouble(&error))?;
                add_text(&mut open, &text)?;
            }
            Event::Decl(_) | Event::Comment(_) => {}
            Event::DocType(_) | Event::PI(_) | Event::Empty(_) => {
                return Err(NotXml("DTD and processing instructions are refused".into()));
            }
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err(NotXml("ends inside an element".into()));
    }
    root.ok_or_else(|| NotXml("no element".into()))
}

fn element(namespace: String, start: &BytesStart<'_>) -> Result<Node, NotXml> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| NotXml(error.to_string()))?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| NotXml(error.to_string()))?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Node {
        namespace,
        name: start.local_name().as_ref().to_owned(),
        attributes,
        children: Vec::new(),
        text: String::new(),
    })
}

fn add_text(open: &mut [Node], text: &str) -> Result<(), NotXml> {
    match open.last_mut() {
        Some(node) => {
            node.text.push_str(text);
            Ok(())
        }
        None if text.trim().is_empty() => Ok(()),
        None => Err(NotXml("text outside the root".into())),
    }
}

/// Escapes text for content and attribute values.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_namespaces_text_and_references() {
        let node =
            parse("<a xmlns='urn:1' x='1 &lt; 2'><b xmlns=''>Ký &amp; <![CDATA[<đóng>]]></b></a>").unwrap();
        assert_eq!((node.namespace.as_str(), node.attribute("x")), ("urn:1", Some("1 < 2")));
        assert_eq!(
            node.child("b").map(|b| (b.namespace.as_str(), b.text.as_str())),
            Some(("", "Ký & <đóng>"))
        );
    }

    #[test]
    fn refuses_what_is_dangerous_or_broken() {
        for text in
            ["", "<a>", "<a/><b/>", "<!DOCTYPE a><a/>", "<a>&x;</a>", "<p:a/>", "<a x='1' x='2'/>", "<a></b>"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
