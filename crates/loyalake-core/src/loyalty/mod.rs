//! Loyalty scores that explain themselves, intervals, answers to surveys, and rings of referrals.

pub mod csat;
pub mod cycle_members;
pub mod decayed_mean;
pub mod mean_interval;
pub mod nps;
pub mod quadrant;
pub mod scale_to_unit;
pub mod weighted_score;
pub mod wilson_interval;
