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

/// P(N = n) for n from 0 to `most`, for many times w · rate of one shape.
pub(super) struct FirstProbabilities {
    shape: f64,
    /// P(N = n + 1) over P(N = n), without the factor w / (1 + w).
    ratios: Vec<f64>,
}

impl FirstProbabilities {
    pub(super) fn new(shape: f64, most: usize) -> Self {
        let ratios = (0..most).map(|n| (shape + n as f64) / (n + 1) as f64);
        Self {
            shape,
            ratios: ratios.collect(),
        }
    }

    /// Adds them, times `weight`, to `sums`.
    pub(super) fn add(&self, w: f64, weight: f64, sums: &mut [f64]) {
        let share = w / (1.0 + w);
        let ln_none = -self.shape * w.ln_1p();
        let Some((none, more)) = sums.split_first_mut() else {
            return;
        };
        let mut probability = weight * ln_none.exp();
        *none += probability;
        if ln_none > SMALL.ln() {
            for (sum, ratio) in more.iter_mut().zip(&self.ratios) {
                probability *= ratio * share;
                *sum += probability;
            }
            return;
        }
        // The first ones are too small for a double, others need not be.
        let mut ln_probability = ln_none;
        for (sum, ratio) in more.iter_mut().zip(&self.ratios) {
            ln_probability += (ratio * share).ln();
            *sum += weight * ln_probability.exp();
        }
    }
}

/// From a smaller probability on, logarithms are needed.
const SMALL: f64 = 1e-250;
