//! A `.tar.gz` of a few small files: POSIX ustar, so that every `tar` reads it.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

const BLOCK: usize = 512;
/// Where the header's own checksum stands; it is made with blanks there.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// The files as one packed archive. Names have up to 100 ASCII characters; `at` is their time in seconds since 1970.
pub(super) fn packed(files: &[(&str, &[u8])], at: i64) -> io::Result<Vec<u8>> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::default());
    for (name, bytes) in files {
        packing.write_all(&header(name, bytes.len(), at))?;
        packing.write_all(bytes)?;
        let rest = bytes.len().next_multiple_of(BLOCK) - bytes.len();
        packing.write_all(&vec![0; rest])?;
    }
    packing.write_all(&[0; 2 * BLOCK])?;
    packing.finish()
}

fn header(name: &str, size: usize, at: i64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    put(&mut header, 0, name);
    put(&mut header, 100, "0000600\0");
    put(&mut header, 108, "0000000\0");
    put(&mut header, 116, "0000000\0");
    put(&mut header, 124, &format!("{size:011o}\0"));
    put(&mut header, 136, &format!("{:011o}\0", at.max(0)));
    put(&mut header, CHECKSUM.start, "        ");
    put(&mut header, 156, "0");
    put(&mut header, 257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut header, CHECKSUM.start, &format!("{sum:06o}\0 "));
    header
}

fn put(header: &mut [u8; BLOCK], at: usize, text: &str) {
    header.iter_mut().skip(at).zip(text.bytes()).for_each(|(place, byte)| *place = byte);
}
