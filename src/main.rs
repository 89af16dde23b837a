//! The `gridplan` program.
fn main() {}
