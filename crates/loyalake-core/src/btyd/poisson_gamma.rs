//! Purchases of a customer who cannot leave: Poisson with a rate λ ~ Gamma(shape, rate).

use crate::special::{ln_gamma, ln_rising};

/// ln P(N = n) within the time w · rate, for whole n.
///
/// # Formula
/// Γ(shape + n) / (Γ(shape) n!) · (1 / (1 + w))^shape · (w / (1 + w))^n
pub(super) fn ln_probability(shape: f64, w: f64, n: f64) -> f64 {
    let none = -shape * w.ln_1p();
    if n > 0.0 {
        ln_count(shape, n) + none - n * (1.0 / w).ln_1p()
    } else {
        none
    }
}

/// ln [Γ(shape + n) / (Γ(shape) n!)] for n ≥ 1, from the larger of shape and n: little cancels.
pub(super) fn ln_count(shape: f64, n: f64) -> f64 {
    if shape > n {
        ln_rising(shape, n) - ln_gamma(n + 1.0)
    } else {
        ln_rising(n, shape) - n.ln() - ln_gamma(shape)
    }
}
