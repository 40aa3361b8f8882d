//! The report card's command line.

fn main() {}
