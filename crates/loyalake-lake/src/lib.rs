//! Object stores and Delta tables: where inputs are read from and results are published to.
//!
//! [`Storage`] turns the paths and URLs of a configuration into [`Location`]s; [`source`] opens
//! what is there as a table; [`staging`] writes a plan to Parquet files that nobody can see yet;
//! [`delta`] makes such files visible in one commit. The steps of a run that uses them are in
//! `loyalake-jobs`.

pub mod delta;
mod error;
mod files;
mod location;
pub mod publish;
pub mod source;
pub mod staging;

pub use error::{LakeError, Result};
pub use files::{DataFile, FileTable};
pub use location::{Location, Storage};
