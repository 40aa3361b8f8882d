//! The engine: one value that owns every open order.

pub mod entry;
pub mod view;
