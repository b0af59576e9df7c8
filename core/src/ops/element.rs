//! Elements of a document, each as it is written there: for what must come back unchanged, blanks and unknown parts
//! included.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

use crate::{Error, ErrorKind, Result};

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// Its name, without namespace prefix.
    pub(super) name: String,
    /// From its opening bracket to its closing one.
    pub(super) xml: &'a str,
}

impl<'a> Element<'a> {
    /// The elements directly inside the only element of `xml`, in their order.
    ///
    /// # Errors
    /// `Corrupted` for what is cut off or no XML.
    pub(super) fn inside(xml: &'a str) -> Result<Vec<Self>> {
        let mut reader = Reader::from_str(xml);
        let mut found = Vec::new();
        let mut open: Option<(String, u64)> = None;
        let mut depth = 0_usize;
        loop {
            let begin = reader.buffer_position();
            let event = reader.read_event().map_err(unreadable)?;
            let end = reader.buffer_position();
            match event {
                Event::Start(start) => {
                    if depth == 1 {
                        open = Some((start.local_name().as_ref().to_owned(), begin));
                    }
                    depth += 1;
                }
                Event::Empty(empty) if depth == 1 => {
                    found.push(Self { name: empty.local_name().as_ref().to_owned(), xml: part(xml, begin, end)? });
                }
                Event::Empty(_) if depth == 0 => return Ok(found),
                Event::End(_) => {
                    depth = depth.saturating_sub(1);
                    match (depth, open.take()) {
                        (0, _) => return Ok(found),
                        (1, Some((name, begin))) => found.push(Self { name, xml: part(xml, begin, end)? }),
                        (_, still_open) => open = still_open,
                    }
                }
                Event::Eof => return Err(unreadable("it is cut off")),
                _ => {}
            }
        }
    }

    /// The elements directly inside this one.
    ///
    /// # Errors
    /// `Corrupted` for what is no XML.
    pub(super) fn children(&self) -> Result<Vec<Self>> {
        Self::inside(self.xml)
    }

    /// Its text, blanks included.
    ///
    /// # Errors
    /// `Corrupted` for what is no XML.
    pub(super) fn text(&self) -> Result<String> {
        let mut reader = Reader::from_str(self.xml);
        let mut text = String::new();
        loop {
            match reader.read_event().map_err(unreadable)? {
                Event::Text(piece) => text.push_str(&piece),
                Event::CData(piece) => text.push_str(&piece),
                Event::GeneralRef(reference) => resolve(&reference, &mut text)?,
                Event::Eof => return Ok(text),
                _ => {}
            }
        }
    }
}

fn part(xml: &str, begin: u64, end: u64) -> Result<&str> {
    let place = |position| usize::try_from(position).ok();
    let range = place(begin).zip(place(end));
    range.and_then(|(begin, end)| xml.get(begin..end)).ok_or_else(|| unreadable("an element has no end"))
}

fn resolve(reference: &BytesRef<'_>, text: &mut String) -> Result<()> {
    match reference.resolve_char_ref().map_err(unreadable)? {
        Some(character) => text.push(character),
        None => {
            let known = resolve_predefined_entity(reference);
            text.push_str(known.ok_or_else(|| unreadable("it has an entity that nobody knows"))?);
        }
    }
    Ok(())
}

fn unreadable(cause: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupted, format!("the answer's XML cannot be read: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<Root xmlns=\"urn:x\"> <A a='>'> x &amp;<B><![CDATA[ <C> ]]></B>&#13;</A>\n\
                            text<Empty/><x:A xmlns:x=\"urn:y\"></x:A></Root>";

    fn elements(xml: &str) -> Vec<(String, &str)> {
        Element::inside(xml).unwrap().into_iter().map(|element| (element.name, element.xml)).collect()
    }

    #[test]
    fn elements_are_given_as_they_are_written() {
        let (first, empty, second) =
            ("<A a='>'> x &amp;<B><![CDATA[ <C> ]]></B>&#13;</A>", "<Empty/>", "<x:A xmlns:x=\"urn:y\"></x:A>");
        let expected = [("A".to_owned(), first), ("Empty".to_owned(), empty), ("A".to_owned(), second)];
        assert_eq!(elements(DOCUMENT), expected);
        assert_eq!(elements(first), [("B".to_owned(), "<B><![CDATA[ <C> ]]></B>")]);
        assert!(elements(empty).is_empty() && elements("<Root/>").is_empty());
    }

    #[test]
    fn text_keeps_its_blanks() {
        let text = |xml| Element { name: String::new(), xml }.text().unwrap();
        assert_eq!(text("<A> a b\n&lt;&#x41;&quot;<![CDATA[ & ]]></A>"), " a b\n<A\" & ");
        assert_eq!(text("<A/>"), "");
    }

    #[test]
    fn damage_is_an_error() {
        for xml in ["", "<A>", "<A><B></A>", "<A></A", "text", "<A><B></B>", "</A>"] {
            assert_eq!(Element::inside(xml).unwrap_err().kind(), ErrorKind::Corrupted, "{xml}");
        }
        for xml in ["<A>&nope;</A>", "<A>&#xD800;</A>"] {
            let error = Element { name: String::new(), xml }.text().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupted, "{xml}");
        }
    }
}
