//! No commands at all: every byte belongs to a code.

use super::Dialect;

/// A scanner to which nothing is said.
pub(crate) struct Plain;

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }
}
