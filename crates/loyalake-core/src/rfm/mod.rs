//! Purchase histories, cut points and scores by recency, frequency and monetary value.

pub mod concentration;
pub mod purchase_history;
pub mod quantile_cuts;
pub mod ranking;
pub mod rfm_segment;
pub mod score;
