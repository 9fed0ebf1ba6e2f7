//! Customer lifetime value: models of purchases over time ("buy till you die"), of contracts and of
//! spending.
//!
//! Notation of the papers: x repeat purchases, `t_x` recency (time of the last one), T age; all
//! times run from the customer's first purchase.
//!
//! A model is one file with a [`Model`] constant, and one line in [`MODELS`].

pub mod beta_geometric;
mod beta_trials;
pub mod bg_bb;
pub mod bg_nbd;
mod collapsed;
mod fit;
pub mod gamma_gamma;
mod history;
pub mod ltv;
pub mod mbg_nbd;
mod model;
pub mod pareto_nbd;
mod poisson_gamma;
pub mod sbg;
mod scorer;
pub mod simulate;
mod value_quantile;

pub use collapsed::Collapsed;
pub use fit::{Estimate, Fit, Status};
pub use history::{History, Spend};
pub use model::{MODELS, Model, PurchaseModel, SetUp, model};
pub use scorer::Scorer;
pub use value_quantile::{ValueScorer, value_quantile};
