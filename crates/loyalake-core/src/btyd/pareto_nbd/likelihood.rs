//! The maximum likelihood fit of Pareto/NBD, with exact derivatives.
//!
//! Source: see the model; the derivatives are taken under the integral.
//!
//! Notation: the likelihood is a prior part times a sum over what may have become of the customer:
//! alive at τ = T (d = 0), or gone at a time τ before (d = 1). Its terms are s^d (α + τ)^(−R)
//! (β + τ)^(−s − d), here divided by their value at `t_x`; u = τ − `t_x`.

use super::super::fit::{Evidence, FitProblem};
use super::super::{Collapsed, Fit};
use super::{Decay, LONGEST_PANEL, MODEL};
use crate::optimize::Derivatives;
use crate::special::{ln_rising_derivatives, visit_nodes};

/// Points from which the search starts, with time scaled to mean age 1: heavy and light drop-out,
/// and between.
const STARTS: [[f64; 4]; 3] = [
    [0.5, 0.3, 0.6, 0.4],
    [1.0, 0.5, 0.1, 1.0],
    [1.0, 0.5, 3.0, 3.0],
];

/// The maximum likelihood fit to rows (x, `t_x`, T).
pub(super) fn fit(data: &Collapsed<3>) -> Fit {
    let problem = FitProblem {
        model: &MODEL,
        data,
        scaled_by: 2,
        scaled_columns: &[1, 2],
        scaled_parameters: &[1, 3],
        starts: STARTS,
        evidence: Evidence::REPEAT_PURCHASE,
    };
    let log_likelihood = |rows: &[([f64; 3], f64)], parameters: &[f64; 4]| {
        let mut sum = Derivatives::ZERO;
        let mut per_count: Option<PerCount> = None;
        for ([x, t_x, age], customers) in rows {
            // Rows are in the order of x.
            let per_count = match &mut per_count {
                Some(known) if known.x.total_cmp(x).is_eq() => known,
                other => other.insert(PerCount::new(parameters[0], *x)),
            };
            let derivatives = per_count.derivatives(*parameters, [*t_x, *age]);
            sum.add(*customers, &derivatives);
        }
        sum
    };
    problem.solve(log_likelihood, |[x, ..]| *x)
}

/// The parts of the derivatives that only depend on x.
struct PerCount {
    x: f64,
    /// ln (Γ(r + x) / Γ(r)) and its derivatives.
    r: [f64; 3],
}

impl PerCount {
    fn new(r: f64, x: f64) -> Self {
        Self {
            x,
            r: ln_rising_derivatives(r, x),
        }
    }

    /// One customer's log-likelihood with derivatives in r, α, s, β.
    fn derivatives(&self, [r, alpha, s, beta]: [f64; 4], [t_x, age]: [f64; 2]) -> Derivatives<4> {
        let fates = Fates::new([r + self.x, alpha + t_x, s, beta + t_x], age - t_x);
        let (ln_alpha, ln_beta) = (-(t_x / alpha).ln_1p(), -(t_x / beta).ln_1p());
        let prior = Derivatives {
            value: self.r[0] + r * ln_alpha - self.x * (alpha + t_x).ln() + s * ln_beta,
            gradient: [self.r[1] + ln_alpha, r / alpha, ln_beta, s / beta],
            hessian: [
                [self.r[2], 0.0, 0.0, 0.0],
                [1.0 / alpha, -r / (alpha * alpha), 0.0, 0.0],
                [0.0; 4],
                [0.0, 0.0, 1.0 / beta, -s / (beta * beta)],
            ],
        };
        fates.add_to(prior)
    }
}

/// Sums over what may have become of a customer: weights, and weighted derivatives of the terms'
/// logarithms in R (or r), α, s, β.
#[derive(Default)]
struct Fates {
    weight: f64,
    slope: [f64; 4],
    /// Of slope times slope, and of second derivatives; the lower triangle.
    second: [[f64; 4]; 4],
}

impl Fates {
    /// For R, α + `t_x`, s, β + `t_x` and the time since `t_x`.
    fn new([shape, a_time, s, b_time]: [f64; 4], silence: f64) -> Self {
        let mut fates = Self::default();
        let ln_powers = |u: f64| ((u / a_time).ln_1p(), (u / b_time).ln_1p());
        let (ln_a, ln_b) = ln_powers(silence);
        let alive = (-shape * ln_a - s * ln_b).exp();
        let inverses = |u: f64| [1.0 / (a_time + u), 1.0 / (b_time + u)];
        fates.add(alive, [shape, s], [ln_a, ln_b], inverses(silence), 0.0);
        if silence > 0.0 {
            let leaving = Decay {
                purchases: (a_time, shape),
                leaving: (b_time, s + 1.0),
                kappa: 0.0,
            };
            let scale = leaving.scale();
            let factor = s / b_time * scale;
            let end = (silence / scale).ln_1p();
            visit_nodes(0.0, end, LONGEST_PANEL, |y, weight| {
                let growth = y.exp();
                let u = scale * (growth - 1.0);
                let (ln_a, ln_b) = ln_powers(u);
                let gone = factor * weight * growth * (-shape * ln_a - (s + 1.0) * ln_b).exp();
                fates.add(gone, [shape, s + 1.0], [ln_a, ln_b], inverses(u), 1.0 / s);
            });
        }
        fates
    }

    /// Adds a term (α + τ)^(−`shape`) (β + τ)^(−`power`) s^d with 1 / s or 0 for the slope of s^d.
    fn add(
        &mut self,
        weight: f64,
        [shape, power]: [f64; 2],
        ln: [f64; 2],
        inverse: [f64; 2],
        d: f64,
    ) {
        let slope = [-ln[0], -shape * inverse[0], d - ln[1], -power * inverse[1]];
        self.weight += weight;
        for i in 0..4 {
            self.slope[i] += weight * slope[i];
            for j in 0..=i {
                self.second[i][j] += weight * slope[i] * slope[j];
            }
        }
        self.second[1][0] -= weight * inverse[0];
        self.second[1][1] += weight * shape * inverse[0] * inverse[0];
        self.second[2][2] -= weight * d * d;
        self.second[3][2] -= weight * inverse[1];
        self.second[3][3] += weight * power * inverse[1] * inverse[1];
    }

    /// Adds ln of the sum of all terms.
    fn add_to(&self, mut prior: Derivatives<4>) -> Derivatives<4> {
        prior.value += self.weight.ln();
        let mean = self.slope.map(|slope| slope / self.weight);
        for i in 0..4 {
            prior.gradient[i] += mean[i];
            for j in 0..=i {
                prior.hessian[i][j] += self.second[i][j] / self.weight - mean[i] * mean[j];
            }
        }
        prior
    }
}
