//! Firn.
fn main() {}
