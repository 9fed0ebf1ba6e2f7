//! Published numbers and reference values against the formulas of `loyalake-core`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "golden/btyd.rs"]
mod btyd;
#[path = "golden/survival.rs"]
mod survival;

use std::fs;
use std::path::Path;

/// A file by its path from the folder of the tests.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
