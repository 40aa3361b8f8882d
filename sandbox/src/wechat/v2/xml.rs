//! The flat XML of APIv2. No document type, no entities but the five of XML, no nesting.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::Members;

/// The members of `<xml>…</xml>`; `None` for anything else.
pub(super) fn read(text: &str) -> Option<Members> {
    let mut reader = Reader::from_str(text);
    let mut members = Members::new();
    let mut open: Vec<(String, String)> = Vec::new();
    let mut ended = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if !ended && open.len() < 2 => open.push((name(&start)?, String::new())),
            Event::Empty(empty) if open.len() == 1 => {
                members.insert(name(&empty)?, String::new());
            }
            Event::Text(text) => push(&mut open, &text)?,
            Event::CData(data) => push(&mut open, &data)?,
            Event::GeneralRef(entity) => push(&mut open, &resolved(&entity)?)?,
            Event::End(_) => {
                let (name, value) = open.pop()?;
                ended = open.is_empty();
                if !ended && members.insert(name, value).is_some() {
                    return None;
                }
            }
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => return (ended && open.is_empty()).then_some(members),
            Event::Start(_) | Event::Empty(_) | Event::PI(_) | Event::DocType(_) => return None,
        }
    }
}

fn name(start: &BytesStart<'_>) -> Option<String> {
    Some(start.name().as_ref().to_owned())
}

/// Text belongs to a member; between members there is only white space.
fn push(open: &mut [(String, String)], text: &str) -> Option<()> {
    match open {
        [_, member] => member.1.push_str(text),
        [] | [_] if text.trim().is_empty() => {}
        _ => return None,
    }
    Some(())
}

fn resolved(entity: &BytesRef<'_>) -> Option<String> {
    if let Some(character) = entity.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    quick_xml::escape::resolve_xml_entity(entity).map(str::to_owned)
}

/// The members as the channel writes them: every value in CDATA.
pub(super) fn write(members: &[(&str, String)]) -> String {
    let members: String =
        members.iter().map(|(name, value)| format!("<{name}><![CDATA[{value}]]></{name}>\n")).collect();
    format!("<xml>{members}</xml>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_text_or_cdata() {
        let text = "<?xml version=\"1.0\"?>\n<xml>\n<a><![CDATA[1<2]]></a><b>3&amp;4&#65;</b><c/></xml>";
        let members = read(text).unwrap_or_default();
        let pairs: Vec<(&str, &str)> = members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "1<2"), ("b", "3&4A"), ("c", "")]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "a=1",
            "<xml><a>1</a>",
            "<xml><a><b>1</b></a></xml>",
            "<xml><a>1</a><a>2</a></xml>",
            "<!DOCTYPE xml [<!ENTITY x \"1\">]><xml><a>&x;</a></xml>",
            "<xml><a>&x;</a></xml>",
            "<xml>text<a>1</a></xml>",
            "<xml></xml><xml></xml>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
