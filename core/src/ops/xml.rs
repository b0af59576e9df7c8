//! What the XML of several operations has in common. Elements that nobody asked for are ignored, and odd documents are
//! errors, never panics.

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde::Deserialize;

use crate::{Error, ErrorKind, Result};

/// Namespace of all S3 documents.
pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The document that tells of a failure, as the whole answer or under status 200.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ErrorDocument {
    /// "NoSuchKey".
    pub(super) code: Option<String>,
    /// A sentence; Radosgw before Reef mostly sends none.
    pub(super) message: Option<String>,
    /// The access key that was sent; AWS only.
    #[serde(rename = "AWSAccessKeyId")]
    pub(super) access_key: Option<String>,
    /// The region that the bucket is in, where the request named another.
    pub(super) region: Option<String>,
    /// The endpoint that the bucket wants to be addressed by.
    pub(super) endpoint: Option<String>,
    /// The gateway's name for the request.
    pub(super) request_id: Option<String>,
}

/// A `CommonPrefixes` element.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CommonPrefix<'a> {
    /// The prefix, encoded as the document says.
    #[serde(borrow, default)]
    pub(super) prefix: std::borrow::Cow<'a, str>,
}

/// The text of a document.
///
/// # Errors
/// `Corrupted` where it is not UTF-8.
pub(super) fn text(document: &[u8]) -> Result<&str> {
    std::str::from_utf8(document)
        .map(str::trim_start)
        .map_err(|cause| Error::new(ErrorKind::Corrupted, "the answer's XML is not UTF-8").caused_by(cause))
}

/// Reads a document; the name of its root is not looked at ([`root`]).
///
/// # Errors
/// `Corrupted` for what is cut off or has another shape.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    quick_xml::de::from_str(text).map_err(|cause| {
        Error::new(ErrorKind::Corrupted, format!("the answer's XML cannot be read: {cause}")).caused_by(cause)
    })
}

/// Name of the first element, without namespace prefix; `None` for what is no XML.
pub(super) fn root(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => {
                return Some(element.local_name().as_ref().to_owned());
            }
            Event::Text(text) if text.trim().is_empty() => {}
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) | Event::End(_) | Event::Eof => return None,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// Whether a text can stand in an XML document at all: most control characters cannot, however they are written.
pub(super) fn can_hold(text: &str) -> bool {
    text.chars().all(|character| {
        matches!(character, '\t' | '\n' | '\r') || (character >= ' ' && !matches!(character, '\u{fffe}' | '\u{ffff}'))
    })
}

/// Appends `<name>text</name>`. Line ends and tabs are written as references, because parsers turn them into others.
pub(super) fn append(document: &mut String, name: &str, text: &str) {
    document.extend(["<", name, ">"]);
    for (index, piece) in text.split('\r').enumerate() {
        document.push_str(if index == 0 { "" } else { "&#13;" });
        document.push_str(&escape(piece));
    }
    document.extend(["</", name, ">"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_behind_declaration_and_blanks() {
        for document in [
            "<?xml version=\"1.0\"?>\n\n  <Error><Code>X</Code></Error>",
            "<Error xmlns=\"urn:x\"/>",
            "<!-- c --><s3:Error xmlns:s3=\"urn:x\"></s3:Error>",
        ] {
            assert_eq!(root(document).as_deref(), Some("Error"), "{document}");
        }
        for document in ["", "   ", "no XML", "{\"json\": 1}", "</Error>", "<", "<<<<"] {
            assert_eq!(root(document), None, "{document}");
        }
    }

    #[test]
    fn unknown_elements_are_ignored() {
        let document = "<Error><Odd><Deep a='1'/></Odd><Code>Busy</Code>text<HostId/></Error>";
        let error: ErrorDocument = parse(document).unwrap();
        assert_eq!(error.code.as_deref(), Some("Busy"));
    }

    #[test]
    fn odd_documents_are_errors() {
        for document in
            ["", "<Error>", "<Error><Code>", "<Error></Code>", "<Error><Code>a</Code><Code>b</Code></Error>"]
        {
            let error = parse::<ErrorDocument>(document).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupted, "{document}");
        }
        assert_eq!(
            parse::<ErrorDocument>("<Error><Code>&nope;</Code></Error>").unwrap_err().kind(),
            ErrorKind::Corrupted
        );
        assert_eq!(text(b"\xff\xfe").unwrap_err().kind(), ErrorKind::Corrupted);
    }

    #[test]
    fn appended_text_is_escaped() {
        let mut document = String::new();
        append(&mut document, "Key", "a<b>&\"c\"\r\nd");
        let escaped = document.strip_prefix("<Key>").unwrap().strip_suffix("</Key>").unwrap();
        assert!(!escaped.contains(['<', '>', '"', '\r']), "{escaped}");
        assert!(escaped.contains("&#13;"), "{escaped}");
    }

    #[test]
    fn control_characters_cannot_stand_in_xml() {
        assert!(can_hold("a/b c\té\r\n"));
        assert!(!can_hold("a\u{1}"));
        assert!(!can_hold("\u{0}"));
    }
}
