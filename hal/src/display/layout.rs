//! How a framebuffer stores pixels, and the pure conversion from a [`Frame`].

use super::{
    DisplayError,
    changes::Area,
    frame::{Frame, widen},
};

/// Where one colour sits in a pixel word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// Bits from the right.
    pub offset: u32,
    /// Number of bits.
    pub length: u32,
}

impl Channel {
    fn place(self, eight_bits: u8) -> u32 {
        (u32::from(eight_bits) >> (8 - self.length)) << self.offset
    }
}

/// A framebuffer's geometry, as the driver reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Visible pixels across.
    pub width: usize,
    /// Visible pixels down.
    pub height: usize,
    /// Bytes from one row to the next; more than `width` pixels when rows are padded.
    pub stride: usize,
    /// Bytes of a pixel: 2 or 4.
    pub bytes_per_pixel: usize,
    /// Where red sits.
    pub red: Channel,
    /// Where green sits.
    pub green: Channel,
    /// Where blue sits.
    pub blue: Channel,
}

impl Layout {
    /// Refuses what this driver cannot draw.
    ///
    /// # Errors
    /// Names the property that is out of the ordinary.
    pub fn check(&self, memory: usize) -> Result<(), DisplayError> {
        let lost = |why: String| Err(DisplayError::Lost(why));
        if !matches!(self.bytes_per_pixel, 2 | 4) {
            return lost(format!(
                "{} bits per pixel; set 16 or 32 with `fbset -depth` or video= on the kernel command line",
                self.bytes_per_pixel * 8
            ));
        }
        let bits = u32::try_from(self.bytes_per_pixel * 8).unwrap_or(32);
        for channel in [self.red, self.green, self.blue] {
            if !(1..=8).contains(&channel.length) || channel.offset + channel.length > bits {
                return lost(format!("a colour of {} bits at bit {}", channel.length, channel.offset));
            }
        }
        let row = self.width * self.bytes_per_pixel;
        if self.width == 0 || self.height == 0 || row > self.stride {
            return lost(format!("rows of {row} bytes every {} bytes", self.stride));
        }
        // The last row need not be padded.
        if self.stride * (self.height - 1) + row > memory {
            return lost(format!("{} rows do not fit in {memory} bytes", self.height));
        }
        Ok(())
    }

    fn pixel(&self, rgb565: u16) -> u32 {
        let [red, green, blue] = widen(rgb565);
        self.red.place(red) | self.green.place(green) | self.blue.place(blue)
    }

    /// Refuses a picture that this panel would cut: half a code cannot be paid.
    ///
    /// # Errors
    /// Names both sizes.
    pub fn holds(&self, frame: &Frame) -> Result<(), DisplayError> {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        if width <= self.width && height <= self.height {
            return Ok(());
        }
        Err(DisplayError::Lost(format!(
            "the panel has {}×{} pixels, and the board says {width}×{height}: correct width and height in [display]",
            self.width, self.height
        )))
    }

    /// Writes a part of the frame into the framebuffer's memory, the frame's upper left corner at `corner`; what does not
    /// fit is cut off.
    pub fn write(&self, frame: &Frame, area: Area, corner: (usize, usize), memory: &mut [u8]) {
        let first = area.top + corner.1;
        let rows = memory.chunks_mut(self.stride).take(self.height).skip(first);
        for (row, pixels) in rows.zip(area.rows(frame)) {
            let left = area.left + corner.0;
            let cells = row.chunks_exact_mut(self.bytes_per_pixel).take(self.width).skip(left);
            for (cell, pixel) in cells.zip(pixels) {
                let word = self.pixel(*pixel).to_ne_bytes();
                // The low bytes of the word, in the machine's order.
                let low = if cfg!(target_endian = "big") { &word[4 - cell.len()..] } else { &word[..cell.len()] };
                cell.copy_from_slice(low);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::{Rgb565, RgbColor};

    use super::*;

    fn channels(offsets: [u32; 3], lengths: [u32; 3]) -> [Channel; 3] {
        [0, 1, 2].map(|index| Channel { offset: offsets[index], length: lengths[index] })
    }

    fn write(layout: Layout, frame: &Frame, memory: &mut [u8]) {
        layout.write(frame, Area::whole(frame), (0, 0), memory);
    }

    fn layout(bytes_per_pixel: usize, stride: usize, channels: [Channel; 3]) -> Layout {
        let [red, green, blue] = channels;
        Layout { width: 2, height: 2, stride, bytes_per_pixel, red, green, blue }
    }

    #[test]
    fn padding_between_rows_is_left_alone() {
        let layout = layout(2, 6, channels([11, 5, 0], [5, 6, 5]));
        layout.check(10).expect("the last row needs no padding");
        let mut memory = [0xEE; 10];
        write(layout, &Frame::filled(2, 2, Rgb565::RED), &mut memory);
        assert_eq!(memory, [0, 0xF8, 0, 0xF8, 0xEE, 0xEE, 0, 0xF8, 0, 0xF8]);
    }

    #[test]
    fn a_32_bit_panel_gets_all_eight_bits() {
        let layout = layout(4, 8, channels([16, 8, 0], [8, 8, 8]));
        let mut memory = [0; 16];
        write(layout, &Frame::filled(2, 2, Rgb565::YELLOW), &mut memory);
        assert_eq!(memory[..4], [0x00, 0xFF, 0xFF, 0x00]);
    }

    #[test]
    fn a_bgr_panel_gets_its_own_order() {
        let layout = layout(4, 8, channels([0, 8, 16], [8, 8, 8]));
        let mut memory = [0; 16];
        write(layout, &Frame::filled(2, 2, Rgb565::RED), &mut memory);
        assert_eq!(memory[..4], [0xFF, 0x00, 0x00, 0x00]);
    }

    #[test]
    fn a_part_goes_to_its_own_place_and_touches_nothing_else() {
        let layout = layout(2, 4, channels([11, 5, 0], [5, 6, 5]));
        let mut memory = [0xEE; 8];
        let one = Area { left: 0, top: 0, width: 1, height: 1 };
        layout.write(&Frame::filled(1, 1, Rgb565::RED), one, (1, 1), &mut memory);
        assert_eq!(memory, [0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0, 0xF8]);
    }

    #[test]
    fn a_frame_larger_than_the_panel_is_refused_and_would_be_cut() {
        let layout = layout(2, 4, channels([11, 5, 0], [5, 6, 5]));
        layout.holds(&Frame::new(2, 2)).expect("it fits");
        let error = layout.holds(&Frame::new(3, 2)).expect_err("half a code cannot be paid");
        assert!(error.to_string().contains("2×2 pixels, and the board says 3×2"), "{error}");
        let mut memory = [0; 8];
        write(layout, &Frame::filled(9, 9, Rgb565::WHITE), &mut memory);
        assert_eq!(memory, [0xFF; 8]);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let good = layout(2, 4, channels([11, 5, 0], [5, 6, 5]));
        good.check(8).expect("good");
        good.check(7).expect_err("too little memory");
        let palette = Layout { bytes_per_pixel: 1, ..good };
        palette.check(8).expect_err("a palette");
        let narrow = Layout { stride: 3, ..good };
        narrow.check(8).expect_err("overlapping rows");
        let wide = Layout { red: Channel { offset: 12, length: 5 }, ..good };
        wide.check(8).expect_err("a colour outside the pixel");
    }
}
