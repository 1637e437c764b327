//! XML as a small tree of local names, with limits on everything and no document types or entities.
//!
//! quick-xml does the lexing; this file decides what an answer may contain: at most [`MAX_DEPTH`] levels and
//! [`MAX_ELEMENTS`] elements, the five predefined entities and character references, comments ignored.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

use crate::reply::WhyUnreadable;

/// Deepest nesting that is read; real answers have eight levels.
pub(super) const MAX_DEPTH: usize = 32;
/// Most elements that are read; real answers have some thirty.
pub(super) const MAX_ELEMENTS: usize = 2_000;
const MAX_ATTRIBUTES: usize = 32;

/// An element without its namespace.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Local name.
    pub(super) name: String,
    /// Local names and values; namespace declarations are left out.
    pub(super) attributes: Vec<(String, String)>,
    /// All character data directly inside, joined.
    pub(super) text: String,
    /// Child elements in order.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Itself, if it has this name.
    pub(super) fn named(&self, name: &str) -> Option<&Self> {
        (self.name == name).then_some(self)
    }

    /// The only child of this name, if there is one.
    pub(super) fn one(&self, name: &str) -> Result<Option<&Self>, WhyUnreadable> {
        let mut found = self.children.iter().filter(|child| child.name == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(WhyUnreadable::Duplicate),
            (first, None) => Ok(first),
        }
    }

    /// The only descendant at the end of a path of only children, if there is one.
    pub(super) fn at(&self, path: &[&str]) -> Result<Option<&Self>, WhyUnreadable> {
        path.iter().try_fold(Some(self), |here, name| match here {
            Some(element) => element.one(name),
            None => Ok(None),
        })
    }

    /// All children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Parses one document.
pub(super) fn parse(text: &str) -> Result<Element, WhyUnreadable> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        match reader.read_event().map_err(|_| WhyUnreadable::Malformed)? {
            Event::Start(tag) => {
                elements += 1;
                if open.len() >= MAX_DEPTH || elements > MAX_ELEMENTS {
                    return Err(WhyUnreadable::TooComplex);
                }
                open.push(element(&tag)?);
            }
            Event::Empty(tag) => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(WhyUnreadable::TooComplex);
                }
                close(element(&tag)?, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or(WhyUnreadable::Malformed)?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(part) => add_text(&mut open, &part.xml10_content())?,
            Event::CData(part) => add_text(&mut open, &part.xml10_content())?,
            Event::GeneralRef(reference) => add_text(&mut open, &resolve(&reference)?)?,
            Event::DocType(_) => return Err(WhyUnreadable::Entities),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    if open.is_empty() { root.ok_or(WhyUnreadable::Malformed) } else { Err(WhyUnreadable::Malformed) }
}

fn element(tag: &BytesStart<'_>) -> Result<Element, WhyUnreadable> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| WhyUnreadable::Malformed)?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let key = AsRef::<str>::as_ref(&attribute.key.local_name()).to_owned();
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(WhyUnreadable::TooComplex);
        }
        if attributes.iter().any(|(other, _)| *other == key) {
            return Err(WhyUnreadable::Duplicate);
        }
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| WhyUnreadable::Entities)?;
        attributes.push((key, value.into_owned()));
    }
    let name = AsRef::<str>::as_ref(&tag.local_name()).to_owned();
    Ok(Element { name, attributes, ..Element::default() })
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), WhyUnreadable> {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None if root.is_none() => *root = Some(done),
        None => return Err(WhyUnreadable::Malformed),
    }
    Ok(())
}

fn add_text(open: &mut [Element], text: &str) -> Result<(), WhyUnreadable> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(WhyUnreadable::Malformed),
    }
    Ok(())
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, WhyUnreadable> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| WhyUnreadable::Malformed)? {
        return Ok(c.to_string());
    }
    let named = match reference.xml10_content().as_ref() {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => return Err(WhyUnreadable::Entities),
    };
    Ok(named.to_owned())
}
