//! How long customers stay.

pub mod kaplan_meier;
