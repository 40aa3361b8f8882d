//! What the bytes are packed in: zip, gzip, Excel or nothing. All unpacking is bounded.

use std::io::{Cursor, Read};

use encoding_rs::{GB18030, GBK};
use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::unreadable::beginning;
use super::{UNPACKED_MAX, Unreadable};

/// A statement holds a detail file and a sum; ten stores, ten pairs.
const ENTRIES_MAX: usize = 256;

/// What begins each entry of a zip's list of files.
const LISTED: &[u8] = b"PK\x01\x02";

/// How a channel writes text.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Utf8,
    /// GBK, which GB18030 contains.
    Gbk,
}

/// One text file.
pub(super) struct Text {
    /// Its name in the archive, empty when it came alone.
    pub(super) name: String,
    pub(super) text: String,
}

/// What was in the bytes.
pub(super) enum Contents {
    Texts(Vec<Text>),
    #[cfg_attr(not(feature = "xlsx"), expect(dead_code, reason = "only Excel has sheets"))]
    Sheets(Vec<Sheet>),
}

/// A sheet of Excel.
pub(super) struct Sheet {
    pub(super) name: String,
    /// Row numbers from 1, and cells as text.
    pub(super) rows: Vec<(usize, Vec<String>)>,
}

/// Unpacks and decodes.
pub(super) fn open(bytes: &[u8], encoding: Encoding) -> Result<Contents, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::Empty);
    }
    if bytes.len() > UNPACKED_MAX {
        return Err(Unreadable::TooLarge { limit: UNPACKED_MAX });
    }
    match bytes {
        [b'P', b'K', ..] => open_zip(bytes, encoding),
        [0x1f, 0x8b, ..] => Ok(Contents::Texts(vec![text_of(String::new(), &gunzip(bytes)?, encoding)?])),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(Unreadable::Excel { reason: "it is of the old .xls form".to_owned() }),
        _ => Ok(Contents::Texts(vec![text_of(String::new(), bytes, encoding)?])),
    }
}

fn open_zip(bytes: &[u8], encoding: Encoding) -> Result<Contents, Unreadable> {
    let entries = unzip(bytes)?;
    if entries.iter().any(|(name, _)| name == "[Content_Types].xml") {
        return sheets(bytes, &entries);
    }
    let texts = entries.into_iter().map(|(name, bytes)| text_of(name, &bytes, encoding));
    Ok(Contents::Texts(texts.collect::<Result<_, _>>()?))
}

#[cfg(feature = "xlsx")]
fn sheets(bytes: &[u8], entries: &[(String, Vec<u8>)]) -> Result<Contents, Unreadable> {
    super::excel::sheets(bytes, entries).map(Contents::Sheets)
}

#[cfg(not(feature = "xlsx"))]
fn sheets(_: &[u8], _: &[(String, Vec<u8>)]) -> Result<Contents, Unreadable> {
    Err(Unreadable::NoExcel)
}

fn unzip(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Unreadable> {
    // Counted before the archive's list is built: a list alone can fill the memory.
    let listed = bytes.windows(LISTED.len()).filter(|part| *part == LISTED).count();
    if listed > ENTRIES_MAX {
        return Err(damaged(format_args!("some {listed} files in it")));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut entries = Vec::new();
    let mut left = UNPACKED_MAX;
    for place in 0..archive.len() {
        let name = name_of(archive.by_index_raw(place).map_err(damaged)?.name_raw());
        if archive.by_index_raw(place).map_err(damaged)?.encrypted() {
            return Err(Unreadable::Locked { name });
        }
        let entry = archive.by_index(place).map_err(damaged)?;
        if entry.is_dir() {
            continue;
        }
        let content = read_bounded(entry, left)?;
        left -= content.len();
        entries.push((name, content));
    }
    Ok(entries)
}

/// Alipay writes the names in GBK without the flag for UTF-8 (reference/alipay.md 11), others in UTF-8.
fn name_of(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => GBK.decode(raw).0.into_owned(),
    }
}

fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    read_bounded(MultiGzDecoder::new(bytes), UNPACKED_MAX)
}

/// The limit counts what really comes out: what the archive says about itself may be a lie.
fn read_bounded(from: impl Read, limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut content = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    from.take(one_more).read_to_end(&mut content).map_err(damaged)?;
    if content.len() > limit {
        return Err(Unreadable::TooLarge { limit: UNPACKED_MAX });
    }
    Ok(content)
}

fn damaged(reason: impl std::fmt::Display) -> Unreadable {
    Unreadable::Damaged { reason: reason.to_string() }
}

fn text_of(name: String, bytes: &[u8], encoding: Encoding) -> Result<Text, Unreadable> {
    let text = match encoding {
        Encoding::Utf8 => utf8(bytes)?,
        Encoding::Gbk => gbk(bytes)?,
    };
    match text.trim_start().chars().next() {
        Some('<' | '{') => Err(Unreadable::Answer { beginning: beginning(&text) }),
        Some(_) | None => Ok(Text { name, text }),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Encoding { wanted: "UTF-8" })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Chinese text in UTF-8 often passes for GBK and then says nonsense, so it is refused, but for a byte order mark, which
/// tells what it is.
fn gbk(bytes: &[u8]) -> Result<String, Unreadable> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return utf8(bytes);
    }
    let refused = Unreadable::Encoding { wanted: "GBK" };
    if !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok() {
        return Err(refused);
    }
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes).ok_or(refused)?;
    Ok(text.into_owned())
}
