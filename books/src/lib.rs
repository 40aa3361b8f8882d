//! The books: statements of the channels, read, matched against the journal and exported.
