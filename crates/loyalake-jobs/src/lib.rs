//! The nightly run: SQL job files, their order, and the discipline of publishing what they compute.
//!
//! A [`Project`] is a configuration with its SQL files, parsed and put in order. [`run()`] executes
//! it for one date: stage everything, audit everything, then commit. [`analyst`] opens the
//! published tables for queries, [`housekeeping`] keeps them in order. There are no formulas here:
//! arithmetic is in `loyalake-core`, joins and business rules in `sql/`.

pub mod analyst;
mod basis;
mod bind;
pub mod config;
mod conform;
mod constant_groups;
mod context;
pub mod contract;
mod describe;
mod earlier;
mod empty;
mod error;
mod fingerprint;
pub mod graph;
mod grouping;
mod header;
pub mod housekeeping;
mod integer_groups;
pub mod ledger;
mod library;
mod memory;
mod parameters;
pub mod project;
pub mod report;
mod row_wise;
pub mod run;
mod session;
mod sql_file;
pub mod statements;
mod supplied;

pub use config::Config;
pub use error::{JobsError, Place, Result};
pub use integer_groups::IntegerGroupsExec;
pub use ledger::Ledger;
pub use project::Project;
pub use report::RunReport;
pub use run::{Observer, RunOptions, run};
pub use sql_file::{Kind, SqlFile};
