//! A batch of entries as bytes: gzip, limits, lines, and the chain inside.

use std::io::Read;

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::seal::{Hash, from_hex, seal, to_hex};
use super::wire::{Refusal, Request};

/// The most entries of one batch.
const ENTRIES_MAX: usize = 500;
/// The most bytes of one batch, uncompressed.
pub(crate) const BYTES_MAX: usize = 1024 * 1024;
/// The most characters of an order's number, a state or a code. The page does not say; a hub's columns end somewhere.
const WORD_MAX: usize = 64;

/// One line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
    pub(crate) hash: Hash,
    pub(crate) content: Content,
}

/// What a line brings.
#[derive(Debug)]
pub(crate) enum Content {
    /// An entry whose hash holds.
    Entry(Entry),
    /// Only its place: the terminal was told with this code that the entry cannot be read.
    Unreadable(String),
}

/// An entry of a journal.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) order: String,
    pub(crate) at_ms: i64,
    pub(crate) trusted: bool,
    pub(crate) state: String,
    pub(crate) body: String,
    pub(crate) kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    seq: u64,
    order: String,
    at_ms: i64,
    trusted: bool,
    state: String,
    prev: String,
    hash: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnreadableLine {
    seq: u64,
    prev: String,
    hash: String,
    unreadable: String,
}

/// Which of the two a line is.
#[derive(Deserialize)]
struct Kind {
    unreadable: Option<IgnoredAny>,
}

/// What the hub looks at in an entry's JSON. More may be there: the journal's entries grow.
#[derive(Deserialize)]
struct Body {
    kind: String,
    order: String,
}

/// Reads the lines of a request and proves what can be proved without knowing what the hub has.
pub(crate) fn read(request: &Request) -> Result<Vec<Line>, Refusal> {
    expect(request, "Content-Type", "application/x-ndjson")?;
    expect(request, "Content-Encoding", "gzip")?;
    let text = unpack(&request.body)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if text.is_empty() {
        return Err(Refusal::new(400, "empty_batch", "there is no entry in it"));
    }
    if text.split('\n').count() > ENTRIES_MAX {
        return Err(Refusal::new(413, "too_many_entries", format!("at most {ENTRIES_MAX} entries in one batch")));
    }
    let lines: Vec<Line> = text.split('\n').map(line).collect::<Result<_, _>>()?;
    lines.array_windows().try_for_each(|[before, after]| follows(before.seq, &before.hash, after))?;
    Ok(lines)
}

/// Whether a line follows the entry at `seq` with this hash.
pub(crate) fn follows(seq: u64, hash: &Hash, line: &Line) -> Result<(), Refusal> {
    if Some(line.seq) != seq.checked_add(1) {
        return Err(Refusal::new(422, "bad_order", format!("entry {} comes after entry {seq}", line.seq)));
    }
    if line.prev != *hash {
        let detail = format!("entry {} is tied to {}, and {seq} is {}", line.seq, to_hex(&line.prev), to_hex(hash));
        return Err(Refusal::new(409, "fork", detail));
    }
    Ok(())
}

fn expect(request: &Request, name: &str, value: &'static str) -> Result<(), Refusal> {
    if request.only_header(name) == Ok(value) {
        return Ok(());
    }
    Err(Refusal::new(400, "bad_header", format!("{name} must be {value}")))
}

/// Unpacks one gzip member and no more than a batch may hold, whatever the bytes promise.
fn unpack(body: &[u8]) -> Result<String, Refusal> {
    let mut unpacked = Vec::new();
    let mut decoder = GzDecoder::new(body);
    let limit = BYTES_MAX as u64 + 1;
    decoder.by_ref().take(limit).read_to_end(&mut unpacked).map_err(|error| bad_gzip(&error.to_string()))?;
    if unpacked.len() > BYTES_MAX {
        return Err(Refusal::new(413, "too_large", format!("more than {BYTES_MAX} bytes uncompressed")));
    }
    if !decoder.get_ref().is_empty() {
        return Err(bad_gzip("there are bytes behind its end"));
    }
    String::from_utf8(unpacked).map_err(|error| Refusal::new(400, "bad_text", format!("not UTF-8: {error}")))
}

fn bad_gzip(why: &str) -> Refusal {
    Refusal::new(400, "bad_gzip", format!("the body is no gzip file: {why}"))
}

fn line(text: &str) -> Result<Line, Refusal> {
    let Kind { unreadable } = parse(text)?;
    let line = if unreadable.is_some() { unreadable_line(parse(text)?) } else { entry_line(parse(text)?) }?;
    if line.seq == 0 || i64::try_from(line.seq).is_err() {
        return Err(Refusal::new(422, "bad_seq", format!("no entry has the place {}", line.seq)));
    }
    Ok(line)
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::new(400, "bad_line", format!("{error}: {text}")))
}

fn unreadable_line(raw: UnreadableLine) -> Result<Line, Refusal> {
    let code = word(raw.seq, "unreadable", raw.unreadable)?;
    Ok(Line {
        seq: raw.seq,
        prev: hash(raw.seq, &raw.prev)?,
        hash: hash(raw.seq, &raw.hash)?,
        content: Content::Unreadable(code),
    })
}

fn entry_line(raw: EntryLine) -> Result<Line, Refusal> {
    let (prev, given) = (hash(raw.seq, &raw.prev)?, hash(raw.seq, &raw.hash)?);
    let computed = seal(raw.seq, raw.at_ms, raw.trusted, &raw.state, &prev, &raw.body);
    if computed != given {
        let detail = format!("entry {} says {}, and its content gives {}", raw.seq, raw.hash, to_hex(&computed));
        return Err(Refusal::new(422, "bad_hash", detail));
    }
    let Body { kind, order } = serde_json::from_str(&raw.body)
        .map_err(|error| Refusal::new(422, "bad_body", format!("entry {}: {error}", raw.seq)))?;
    if order != raw.order {
        let detail = format!("entry {} is about {order}, and its line says {}", raw.seq, raw.order);
        return Err(Refusal::new(422, "bad_body", detail));
    }
    let content = Entry {
        order: word(raw.seq, "order", raw.order)?,
        at_ms: raw.at_ms,
        trusted: raw.trusted,
        state: word(raw.seq, "state", raw.state)?,
        body: raw.body,
        kind: word(raw.seq, "kind", kind)?,
    };
    Ok(Line { seq: raw.seq, prev, hash: given, content: Content::Entry(content) })
}

fn hash(seq: u64, text: &str) -> Result<Hash, Refusal> {
    from_hex(text).ok_or_else(|| {
        Refusal::new(422, "bad_line", format!("entry {seq}: a hash is 64 digits of 0-9 and a-f, not {text:?}"))
    })
}

fn word(seq: u64, what: &str, text: String) -> Result<String, Refusal> {
    let fits = (1..=WORD_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        let detail = format!("entry {seq}: {what} must be 1 to {WORD_MAX} characters without a space, not {text:?}");
        return Err(Refusal::new(422, "bad_line", detail));
    }
    Ok(text)
}
