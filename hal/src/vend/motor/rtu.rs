//! Frames of Modbus RTU: address, function, data, CRC-16 with the low byte first.

/// Reads holding registers.
pub(crate) const READ: u8 = 0x03;
/// Switches one coil.
pub(crate) const WRITE_COIL: u8 = 0x05;
/// Writes one register.
pub(crate) const WRITE: u8 = 0x06;
/// Set in the function of a reply that refuses.
pub(crate) const REFUSED: u8 = 0x80;

/// CRC-16 of Modbus: polynomial A001 reflected, start FFFF; "123456789" gives 4B37.
pub(crate) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

/// A frame with its CRC.
pub(crate) fn frame(address: u8, function: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![address, function];
    bytes.extend_from_slice(data);
    let crc = crc(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// A frame with two words of data, which all requests here are.
pub(crate) fn words(address: u8, function: u8, first: u16, second: u16) -> Vec<u8> {
    let [a, b] = first.to_be_bytes();
    let [c, d] = second.to_be_bytes();
    frame(address, function, &[a, b, c, d])
}

/// The data of a whole frame of this length at the start of `bytes`, if its CRC is right.
pub(crate) fn whole(bytes: &[u8], length: usize) -> Option<&[u8]> {
    let frame = bytes.get(..length)?;
    // Over a frame with its CRC, the CRC is zero.
    if crc(frame) != 0 { None } else { frame.get(2..length - 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_modbus_s() {
        assert_eq!(crc(b"123456789"), 0x4B37);
        // The example of the Modbus over serial line guide: 02 07, CRC 41 12.
        assert_eq!(frame(2, 7, &[]), [0x02, 0x07, 0x41, 0x12]);
        assert_eq!(words(1, READ, 0, 10), [0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD]);
        assert_eq!(words(1, WRITE_COIL, 0, 0xFF00), [0x01, 0x05, 0x00, 0x00, 0xFF, 0x00, 0x8C, 0x3A]);
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_seen() {
        let good = words(1, WRITE, 0, 7);
        assert_eq!(whole(&good, 8), Some(&[0, 0, 0, 7][..]));
        for bit in 0..64 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(whole(&bad, 8), None, "bit {bit}");
        }
    }
}
