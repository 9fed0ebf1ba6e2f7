//! The arithmetic of Loyalake on plain numbers: no tables, no files, no clock.
//!
//! One module for each domain, under the same name as in `loyalake-functions`.

pub mod btyd;
mod counted;
mod error;
pub mod exact_sum;
pub mod loyalty;
pub mod normal;
pub mod optimize;
pub mod rfm;
pub mod special;
pub mod student;
pub mod sum;
pub mod survival;
pub mod tally;

pub use error::{Error, Result};
