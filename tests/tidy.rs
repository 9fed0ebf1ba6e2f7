//! The conventions of this repository, as tests; what they find says what, where, how to fix it.
//!
//! Every check is tried on a planted offender beside its use: one that can't fail is worth nothing.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/invariants.rs"]
mod invariants;
#[path = "tidy/repository.rs"]
mod repository;
#[path = "tidy/rust_files.rs"]
mod rust_files;
#[path = "tidy/rust_source.rs"]
mod rust_source;
#[path = "tidy/sql_files.rs"]
mod sql_files;
