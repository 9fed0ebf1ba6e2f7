//! Special functions and quadrature, in double precision.

mod beta_average;
mod gamma;
mod gauss_legendre;
mod incomplete_beta;
mod log_concave;
mod logistic;

pub use beta_average::BetaAverage;
pub use gamma::{digamma, ln_beta_ratio, ln_gamma, ln_rising, ln_rising_derivatives, trigamma};
pub use gauss_legendre::{SHORT, integrate, visit_nodes, visit_short};
pub use incomplete_beta::{BetaMixture, Distribution, IncompleteBeta};
pub use log_concave::ln_integral_of_log_concave;
pub use logistic::{logistic, softplus};
