//! The XML of APIv2: one flat element, texts in CDATA.
//!
//! The reader takes what the protocol sends and nothing else: no DOCTYPE, no entities of anybody's own, no attributes, no
//! nesting, no name twice. So no entity can reach for a file or grow without end, and no second `trade_state` can hide.

use std::collections::BTreeMap;
use std::fmt::Write;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use thiserror::Error;

const ROOT: &str = "xml";

/// Why a text is no message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAMessage {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
    /// Not well-formed.
    #[error("it is not well-formed XML: {0}")]
    Syntax(String),
    /// Something that the protocol does not have.
    #[error("it holds {0}, which the protocol has not")]
    Foreign(&'static str),
    /// A name twice.
    #[error("it holds {0:?} twice")]
    Twice(String),
}

/// The message with these fields, every text in CDATA.
#[must_use]
pub fn write<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::from("<xml>");
    for (name, value) in fields {
        // The one thing that CDATA cannot hold is its own end.
        let value = value.replace("]]>", "]]]]><![CDATA[>");
        let _never_fails = write!(text, "<{name}><![CDATA[{value}]]></{name}>");
    }
    text + "</xml>"
}

/// The fields of a message.
///
/// # Errors
/// [`NotAMessage`].
pub fn read(bytes: &[u8]) -> Result<BTreeMap<String, String>, NotAMessage> {
    let text = std::str::from_utf8(bytes).map_err(|_| NotAMessage::Encoding)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut message = Message::default();
    loop {
        match reader.read_event().map_err(syntax)? {
            Event::Start(tag) => message.open(name(&tag)?)?,
            Event::Empty(tag) => {
                message.open(name(&tag)?)?;
                message.close()?;
            }
            Event::End(_) => message.close()?,
            Event::Text(part) => message.add(&part.xml10_content())?,
            Event::CData(part) => message.add(&part.xml10_content())?,
            Event::GeneralRef(reference) => {
                let own = reference.resolve_char_ref().map_err(syntax)?.or_else(|| predefined(reference.as_ref()));
                let character = own.ok_or(NotAMessage::Foreign("an entity"))?;
                message.add(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(_) | Event::Comment(_) => {}
            Event::DocType(_) => return Err(NotAMessage::Foreign("a DOCTYPE")),
            Event::PI(_) => return Err(NotAMessage::Foreign("a processing instruction")),
            Event::Eof => return message.finish(),
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Message {
    fields: BTreeMap<String, String>,
    /// The element that is open inside the root.
    open: Option<(String, String)>,
    inside: bool,
    over: bool,
}

impl Message {
    fn open(&mut self, name: String) -> Result<(), NotAMessage> {
        if self.over {
            return Err(NotAMessage::Foreign("a second root"));
        }
        if !self.inside {
            self.inside = name == ROOT;
            return self.inside.then_some(()).ok_or(NotAMessage::Foreign("another root than <xml>"));
        }
        if self.open.is_some() {
            return Err(NotAMessage::Foreign("an element inside an element"));
        }
        self.open = Some((name, String::new()));
        Ok(())
    }

    fn close(&mut self) -> Result<(), NotAMessage> {
        let Some((name, value)) = self.open.take() else {
            self.over = true;
            return Ok(());
        };
        match self.fields.insert(name.clone(), value) {
            None => Ok(()),
            Some(_) => Err(NotAMessage::Twice(name)),
        }
    }

    fn add(&mut self, text: &str) -> Result<(), NotAMessage> {
        match &mut self.open {
            Some((_, value)) => value.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(NotAMessage::Foreign("a text between elements")),
        }
        Ok(())
    }

    fn finish(self) -> Result<BTreeMap<String, String>, NotAMessage> {
        self.over.then_some(self.fields).ok_or(NotAMessage::Syntax("it ends in the middle".to_owned()))
    }
}

fn name(tag: &BytesStart<'_>) -> Result<String, NotAMessage> {
    if tag.attributes().next().is_some() {
        return Err(NotAMessage::Foreign("an attribute"));
    }
    Ok(tag.name().as_ref().to_owned())
}

/// The five entities that XML itself has.
fn predefined(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

fn syntax(error: impl std::fmt::Display) -> NotAMessage {
    NotAMessage::Syntax(error.to_string())
}
