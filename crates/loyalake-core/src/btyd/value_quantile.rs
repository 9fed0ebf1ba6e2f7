//! Quantiles of what a customer will spend within a horizon.
//!
//! Source: the counts of a model of purchases with the spending of Gamma-Gamma (Fader, Hardie 2013,
//! equation 5 and its derivation): given n further purchases, their total S is a gamma variable
//! with shape p n and the customer's own rate ν ~ Gamma(Q, V), so that S / V is beta prime (p n, Q).
//!
//! # Formula
//! P(S ≤ s) = P(N = 0) + Σ P(N = n) I_z(p n, Q), z = s / (s + V), Q = q + p x, V = v + m x

use super::gamma_gamma::GammaGamma;
use super::{History, PurchaseModel, Spend};
use crate::special::IncompleteBeta;

/// Counts that are less probable together are left out.
const LEFT_OUT: f64 = 1e-7;
/// Most counts that are looked at.
const MOST_NODES: usize = 2_000;
/// Most steps of the search, which needs about five.
const MOST_STEPS: usize = 200;
/// Relative error of the result at which the search ends.
const TOLERANCE: f64 = 1e-8;

/// The value in the horizon that is not exceeded with probability q, 0 ≤ q < 1; `spend` is `None`
/// for a customer without a repeat purchase. 0 when there is no purchase with probability q.
///
/// # Numerics
/// From 16 purchases on only every (√n / 2)-th number of purchases is looked at, which
/// changes results by less than 1e-4: counts vary at least like a Poisson variable's, by √n. The
/// equation is solved by Newton's method for ln s in the logarithm of the smaller tail, which is
/// nearly concave.
pub fn value_quantile(
    model: &dyn PurchaseModel,
    spending: &GammaGamma,
    history: &History,
    spend: Option<&Spend>,
    horizon: f64,
    q: f64,
) -> f64 {
    let none = model.purchase_probability(history, horizon, 0.0);
    if q <= none {
        return 0.0;
    }
    let counts = counts(model, history, horizon, none);
    let total: f64 = counts.iter().map(|(_, weight)| weight).sum();
    // The share of customers with a purchase who spend no more.
    let share = (q - none) / (1.0 - none);
    let (p, shape, scale) = spending.posterior(spend);
    let parts = counts.iter();
    let parts: Vec<(f64, IncompleteBeta)> = parts
        .map(|(n, weight)| (weight / total, IncompleteBeta::new(p * n, shape)))
        .collect();
    let mean: f64 = counts.iter().map(|(n, weight)| n * weight / total).sum();
    scale * quantile(&parts, share, (p * mean / shape).ln()).exp()
}

/// Numbers of purchases from 1 on, and how probable each (with its neighbours) is.
fn counts(
    model: &dyn PurchaseModel,
    history: &History,
    horizon: f64,
    none: f64,
) -> Vec<(f64, f64)> {
    let mut counts = Vec::new();
    let (mut n, mut known) = (1.0_f64, none);
    while counts.len() < MOST_NODES && 1.0 - known > LEFT_OUT {
        let step = (0.5 * n.sqrt()).floor().max(1.0);
        // A node stands for itself and the counts up to half way to its neighbours.
        let width = 0.5 * (step + counts.last().map_or(1.0, |(last, _)| n - last));
        let weight = width * model.purchase_probability(history, horizon, n);
        counts.push((n, weight));
        known += weight;
        n += step;
    }
    counts
}

/// The ln odds at which a mixture of beta variables reaches the share.
fn quantile(parts: &[(f64, IncompleteBeta)], share: f64, start: f64) -> f64 {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut y = start;
    for _ in 0..MOST_STEPS {
        let odds = y.exp();
        let (mut below, mut density) = (0.0, 0.0);
        for (weight, beta) in parts {
            let (share, slope) = beta.at(odds);
            below += weight * share;
            density += weight * slope;
        }
        if below < share {
            low = y;
        } else {
            high = y;
        }
        let step = if share < 0.5 {
            (share / below).ln() * below / density
        } else {
            ((1.0 - below) / (1.0 - share)).ln() * (1.0 - below) / density
        };
        let next = y + step;
        y = if next > low && next < high {
            next
        } else {
            bisect(low, high, y)
        };
        if step.abs() < TOLERANCE {
            break;
        }
    }
    y
}

/// A point between the ends; far beyond `y` where there is none.
fn bisect(low: f64, high: f64, y: f64) -> f64 {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => 0.5 * (low + high),
        (true, false) => y + 1.0 + y.abs(),
        _ => y - 1.0 - y.abs(),
    }
}
