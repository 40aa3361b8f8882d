//! Which channel a scanned pay code belongs to.
