//! Simulated panels: each decodes its own wire to a picture, keeps virtual time, and notes what a real one would not take.

pub mod card;
pub mod epaper;
pub mod oled;
pub mod tft;
mod wire;
