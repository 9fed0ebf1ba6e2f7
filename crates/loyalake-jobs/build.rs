//! The SQL files are compiled in: a change to them is a change to this crate. So is a change to the
//! program, for what an earlier run kept is only used by the same one.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// What decides on the rows of a run.
const PROGRAM: [&str; 5] = [
    "../loyalake-core/src",
    "../loyalake-functions/src",
    "../loyalake-lake/src",
    "src",
    "../../Cargo.lock",
];

fn main() {
    println!("cargo:rerun-if-changed=../../sql");
    let mut hasher = DefaultHasher::new();
    for path in PROGRAM {
        println!("cargo:rerun-if-changed={path}");
        add(Path::new(path), &mut hasher);
    }
    println!("cargo:rustc-env=LOYALAKE_PROGRAM={:016x}", hasher.finish());
}

/// Adds the text of a file, or of all files below a folder.
fn add(path: &Path, hasher: &mut DefaultHasher) {
    if let Ok(entries) = fs::read_dir(path) {
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in &paths {
            add(path, hasher);
        }
    } else if let Ok(text) = fs::read(path) {
        (path.display().to_string(), text).hash(hasher);
    }
}
