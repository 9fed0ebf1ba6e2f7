//! Object stores and Delta tables: where inputs are read from and results are published to.
//!
//! [`Storage`] turns the paths and URLs of a configuration into [`Location`]s; [`source`] opens
//! what is there as a table; [`staging`] writes a plan to Parquet files that nobody can see yet;
//! [`publish`] makes such files visible, one commit for each table; [`publication`] makes several
//! commits one, and proves it. The steps of a run that uses them are in `loyalake-jobs`.

mod conditional_put;
mod control;
pub mod delta;
mod engine;
pub mod erasure;
mod error;
mod files;
pub mod kept;
mod lease;
mod location;
mod options;
mod process;
pub mod publication;
pub mod publish;
mod registry;
mod remote;
pub mod rewrite;
mod row_numbers;
pub mod source;
pub mod spill;
pub mod staging;
mod type_name;
pub mod vacuum;

pub use conditional_put::require_conditional_put;
pub use engine::{ELSEWHERE, Engine, LocalEngine, Parts};
pub use error::{BadFile, LakeError, Result};
pub use files::{DataFile, FileTable, file_scan};
pub use lease::{Lease, claimed_runs};
pub use location::{Location, Storage};
pub use options::{StorageOptions, mask_secrets};
pub use publication::Publication;
pub use registry::StoreRegistry;
pub use row_numbers::RowNumbersExec;
pub use type_name::type_name;
