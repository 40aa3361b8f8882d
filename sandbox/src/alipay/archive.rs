//! A ZIP as Alipay makes it: the names of its entries are GBK bytes without the flag that says so (reference/alipay.md
//! 11). Written by hand, because libraries write other than ASCII names as UTF-8 with the flag.

use std::io::Write as _;

use encoding_rs::GBK;
use flate2::Compression;
use flate2::Crc;
use flate2::write::DeflateEncoder;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Version 2.0, no flags, deflate, 1980-01-01.
const COMMON: [u16; 5] = [20, 0, 8, 0, 0x21];

/// A ZIP of these names and contents.
pub(crate) fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let name = GBK.encode(name).0.into_owned();
        let packed = deflated(content);
        let start = size(&file);
        let common = common(&name, content, &packed);
        file.extend([&LOCAL.to_le_bytes()[..], &common, &name, &packed].concat());
        directory.extend(central(&common, &name, start));
    }
    let end = end(entries.len(), size(&directory), size(&file));
    [file, directory, end].concat()
}

/// What the local header and the directory say alike.
fn common(name: &[u8], content: &[u8], packed: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let mut common: Vec<u8> = COMMON.iter().flat_map(|word| word.to_le_bytes()).collect();
    for number in [crc.sum(), size(packed), size(content)] {
        common.extend(number.to_le_bytes());
    }
    common.extend(short(name.len()).to_le_bytes());
    common.extend([0, 0]);
    common
}

fn central(common: &[u8], name: &[u8], start: u32) -> Vec<u8> {
    // No comment, first disk, no attributes.
    let rest = [0; 10];
    [&CENTRAL.to_le_bytes()[..], &20_u16.to_le_bytes(), common, &rest, &start.to_le_bytes(), name].concat()
}

fn end(entries: usize, directory: u32, start: u32) -> Vec<u8> {
    let count = short(entries).to_le_bytes();
    let place = [directory.to_le_bytes(), start.to_le_bytes()].concat();
    [&END.to_le_bytes()[..], &[0; 4], &count, &count, &place, &[0; 2]].concat()
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(content).and_then(|()| encoder.finish());
    // Writing into memory does not fail.
    packed.unwrap_or_default()
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn short(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read as _};

    #[test]
    fn the_names_are_gbk_without_the_flag_and_the_contents_come_back() {
        let entries = [("业务明细(汇总).csv".to_owned(), b"one".to_vec()), ("b.csv".to_owned(), vec![b'x'; 5000])];
        let packed = zip(&entries);
        let mut archive = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        assert_eq!(archive.len(), 2);
        for (at, (name, content)) in entries.iter().enumerate() {
            let mut entry = archive.by_index(at).unwrap();
            assert_eq!(entry.name_raw(), GBK.encode(name).0.as_ref());
            let mut read = Vec::new();
            entry.read_to_end(&mut read).unwrap();
            assert_eq!(read, *content);
        }
    }
}
