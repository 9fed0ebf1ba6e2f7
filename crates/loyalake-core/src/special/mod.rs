//! Special functions and quadrature, in double precision.

mod beta_average;
mod gamma;
mod gauss_legendre;
mod logistic;

pub use beta_average::BetaAverage;
pub use gamma::{digamma, ln_beta_ratio, ln_gamma, ln_rising, trigamma};
pub use gauss_legendre::integrate;
pub use logistic::{logistic, softplus};
