//! Loyalty scores that explain themselves, and intervals for shares.

pub mod quadrant;
pub mod weighted_score;
pub mod wilson_interval;
