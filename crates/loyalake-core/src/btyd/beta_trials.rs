//! What BG/BB and sBG share: equal steps of time, at each of which something happens with a
//! probability that is beta distributed among customers.
//!
//! Notation: p ~ Beta(a, b); B is the beta function.

use crate::special::{BetaAverage, digamma, ln_beta_ratio, trigamma};

/// ln of the probability of i successes and j failures in a given order.
///
/// # Formula
/// ln [B(a + i, b + j) / B(a, b)]
pub(super) fn ln_probability([a, b]: [f64; 2], i: f64, j: f64) -> f64 {
    ln_beta_ratio(b, a, j) + ln_beta_ratio(a, b + j, i)
}

/// The derivatives of [`ln_probability`] in a and b.
#[derive(Debug, Clone)]
pub(super) struct Slopes {
    /// a + i and b + j.
    a: f64,
    b: f64,
    /// First and second derivatives of ln Γ, from a to a + i, from b to b + j, and of their sum.
    of_a: [f64; 2],
    of_b: [f64; 2],
    of_sum: [f64; 2],
}

impl Slopes {
    pub(super) fn new([a, b]: [f64; 2], i: f64, j: f64) -> Self {
        let between = |from: f64, steps: f64| {
            [
                digamma(from + steps) - digamma(from),
                trigamma(from + steps) - trigamma(from),
            ]
        };
        Self {
            a: a + i,
            b: b + j,
            of_a: between(a, i),
            of_b: between(b, j),
            of_sum: between(a + b, i + j),
        }
    }

    /// One failure more.
    pub(super) fn fail(&mut self) {
        let step = |[first, second]: [f64; 2], z: f64| [first + 1.0 / z, second - 1.0 / (z * z)];
        self.of_b = step(self.of_b, self.b);
        self.of_sum = step(self.of_sum, self.a + self.b);
        self.b += 1.0;
    }

    /// In a, in b.
    pub(super) fn gradient(&self) -> [f64; 2] {
        [self.of_a[0] - self.of_sum[0], self.of_b[0] - self.of_sum[0]]
    }

    /// The lower triangle.
    pub(super) fn hessian(&self) -> [[f64; 2]; 2] {
        [
            [self.of_a[1] - self.of_sum[1], 0.0],
            [-self.of_sum[1], self.of_b[1] - self.of_sum[1]],
        ]
    }
}

/// Expected number of steps before the first success, that one included, the j-th counting (1 +
/// rate)^(1 − j), at most `horizon` steps (`None`: without end); infinite when the sum is.
///
/// # Formula
/// Σ over j < horizon of E[qʲ] = E[(1 − q^horizon) / (1 − q)], q = (1 − p) / (1 + rate)
///
/// # Numerics
/// The published forms, a difference of two ratios of gamma functions over a − 1 and ₂F₁(1, b; a +
/// b; 1 / (1 + rate)), are 0 / 0 at a = 1 and slow for small rates. The average over p has neither
/// fault.
pub(super) fn discounted_steps([a, b]: [f64; 2], horizon: Option<f64>, rate: f64) -> f64 {
    let horizon = horizon.unwrap_or(f64::INFINITY);
    if horizon <= 0.0 {
        return 0.0;
    }
    if horizon.is_infinite() && rate <= 0.0 {
        return if a > 1.0 {
            (a + b - 1.0) / (a - 1.0)
        } else {
            f64::INFINITY
        };
    }
    let ln_growth = rate.ln_1p();
    let finest = rate.max(1.0 / horizon).min(1.0);
    BetaAverage::new(a, b, finest).of(|p| {
        let lost = rate + p;
        if lost > f64::MIN_POSITIVE {
            let ln_q = (-p).ln_1p() - ln_growth;
            -(horizon * ln_q).exp_m1() * (1.0 + rate) / lost
        } else {
            horizon
        }
    })
}
