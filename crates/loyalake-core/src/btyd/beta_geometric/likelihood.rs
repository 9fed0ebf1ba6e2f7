//! The maximum likelihood fit of BG/NBD and MBG/NBD, with exact derivatives.
//!
//! Source and notation: see the models. L is the odds of having left at the last chance, τ = ln((α
//! + T) / (α + `t_x`)) the silence.
//!
//! A row's log-likelihood is ln Γ(R) / Γ(r) + ln B(a, b + n) / B(a, b) + r ln α − R ln(α + T) +
//! ln(1 + L), ln L = ln(a / (b + n − 1)) + R τ. What depends on x alone is computed once for all
//! rows of this x; of the rest, sums over these rows are enough.

use super::super::fit::{Evidence, FitProblem};
use super::super::{Collapsed, Fit, Model};
use crate::optimize::Derivatives;
use crate::special::ln_rising_derivatives;

/// Points from which the search starts, with time scaled to mean age 1: heavy and light drop-out,
/// and between.
const STARTS: [[f64; 4]; 3] = [
    [0.5, 0.3, 0.7, 2.5],
    [1.0, 0.5, 0.05, 2.0],
    [1.0, 0.5, 3.0, 3.0],
];

/// (x, `t_x`, T), and customers.
type Row = ([f64; 3], f64);

/// The maximum likelihood fit to rows (x, `t_x`, T).
pub(in super::super) fn fit(model: &Model, data: Collapsed<3>, chances_when_new: f64) -> Fit {
    let problem = FitProblem {
        model,
        data,
        scaled_by: 2,
        scaled_columns: &[1, 2],
        scaled_parameters: &[1],
        starts: STARTS,
        evidence: Evidence::REPEAT_PURCHASE,
    };
    let log_likelihood = |rows: &[Row], parameters: &[f64; 4]| {
        let mut sum = Derivatives::ZERO;
        // Rows are in the order of x.
        for rows in rows.chunk_by(|one, other| one.0[0].total_cmp(&other.0[0]).is_eq()) {
            let n = rows[0].0[0] + chances_when_new;
            sum.add(1.0, &of_one_count(rows, *parameters, n));
        }
        sum
    };
    problem.solve(log_likelihood, |[x, ..]| *x)
}

/// The log-likelihood of rows with the same x, and n chances to leave, with derivatives in r, α, a,
/// b.
fn of_one_count(rows: &[Row], [r, alpha, a, b]: [f64; 4], n: f64) -> Derivatives<4> {
    let x = rows[0].0[0];
    let shape = r + x;
    let left = b + n - 1.0;
    let ln_factor = if n > 0.0 {
        (a / left).ln()
    } else {
        f64::NEG_INFINITY
    };
    let sums = Sums::new(rows, alpha, ln_factor, shape);
    let customers = sums.customers;
    let of_r = ln_rising_derivatives(r, x);
    let (of_b, of_ab) = (ln_rising_derivatives(b, n), ln_rising_derivatives(a + b, n));
    let mut result = Derivatives {
        value: customers * (of_r[0] + of_b[0] - of_ab[0] + r * alpha.ln()) - shape * sums.ln_now,
        gradient: [
            customers * (of_r[1] + alpha.ln()) - sums.ln_now,
            customers * r / alpha - shape * sums.now,
            -customers * of_ab[1],
            customers * (of_b[1] - of_ab[1]),
        ],
        hessian: [[0.0; 4]; 4],
    };
    let hessian = &mut result.hessian;
    hessian[0][0] = customers * of_r[2];
    hessian[1][0] = customers / alpha - sums.now;
    hessian[1][1] = shape * sums.now_squared - customers * r / (alpha * alpha);
    hessian[2][2] = -customers * of_ab[2];
    hessian[3][2] = -customers * of_ab[2];
    hessian[3][3] = customers * (of_b[2] - of_ab[2]);
    if n > 0.0 {
        sums.add_chance_of_having_left([shape, a, left], &mut result);
    }
    result
}

/// Sums over rows of the same x; p is L / (1 + L), d = 1 / (α + T) − 1 / (α + `t_x`).
#[derive(Default)]
struct Sums {
    customers: f64,
    /// Of ln(α + T), 1 / (α + T) and its square.
    ln_now: f64,
    now: f64,
    now_squared: f64,
    /// Of ln(1 + L).
    softplus: f64,
    /// Of p times 1, τ, d.
    share: [f64; 3],
    /// Of p (1 − p) times 1, τ, d, τ², τ d, d².
    curvature: [f64; 6],
    /// Of p (1 / (α + `t_x`)² − 1 / (α + T)²).
    share_squares: f64,
}

/// Products of 1 + L are turned to logarithms when they grow beyond.
const LARGE: f64 = 1e200;
/// e to this and a product of that size are finite.
const MODERATE: f64 = 200.0;

impl Sums {
    fn new(rows: &[Row], alpha: f64, ln_factor: f64, shape: f64) -> Self {
        let mut sums = Self::default();
        // The product of 1 + L of single customers: one logarithm for many of them.
        let mut product = 1.0;
        let mut last: (f64, f64, f64) = (f64::NAN, 0.0, 0.0);
        for ([_, t_x, age], customers) in rows {
            // Rows of one x are in the order of `t_x`.
            if last.0.total_cmp(t_x).is_ne() {
                last = (*t_x, (alpha + t_x).ln(), 1.0 / (alpha + t_x));
            }
            let (ln_now, now) = ((alpha + age).ln(), 1.0 / (alpha + age));
            let silence = ln_now - last.1;
            let d = now - last.2;
            let ln_odds = ln_factor + shape * silence;
            let (share, rest) = if ln_odds < MODERATE {
                let odds = ln_odds.exp();
                let rest = 1.0 / (1.0 + odds);
                if *customers > 1.0 {
                    sums.softplus += customers * odds.ln_1p();
                } else {
                    product *= 1.0 + odds;
                }
                (odds * rest, rest)
            } else {
                sums.softplus += customers * ln_odds;
                (1.0, 0.0)
            };
            if product > LARGE {
                sums.softplus += product.ln();
                product = 1.0;
            }
            sums.customers += customers;
            sums.ln_now += customers * ln_now;
            sums.now += customers * now;
            sums.now_squared += customers * now * now;
            let share = customers * share;
            sums.share[0] += share;
            sums.share[1] += share * silence;
            sums.share[2] += share * d;
            sums.share_squares -= share * d * (now + last.2);
            let both = share * rest;
            sums.curvature[0] += both;
            sums.curvature[1] += both * silence;
            sums.curvature[2] += both * d;
            sums.curvature[3] += both * silence * silence;
            sums.curvature[4] += both * silence * d;
            sums.curvature[5] += both * d * d;
        }
        sums.softplus += product.ln();
        sums
    }

    /// Adds Σ ln(1 + L). The slopes of ln L are τ, R d, 1 / a, −1 / (b + n − 1).
    fn add_chance_of_having_left(&self, [shape, a, left]: [f64; 3], result: &mut Derivatives<4>) {
        let [one, tau, d] = self.share;
        let slopes = [tau, shape * d, one / a, -one / left];
        let [one_one, tau_one, d_one, tau_tau, tau_d, d_d] = self.curvature;
        let products = [
            [tau_tau, 0.0, 0.0, 0.0],
            [shape * tau_d, shape * shape * d_d, 0.0, 0.0],
            [tau_one / a, shape * d_one / a, one_one / (a * a), 0.0],
            [
                -tau_one / left,
                -shape * d_one / left,
                -one_one / (a * left),
                one_one / (left * left),
            ],
        ];
        let products = Derivatives {
            value: self.softplus,
            gradient: slopes,
            hessian: products,
        };
        result.add(1.0, &products);
        result.hessian[1][0] += d;
        result.hessian[1][1] += shape * self.share_squares;
        result.hessian[2][2] -= one / (a * a);
        result.hessian[3][3] += one / (left * left);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::BetaGeometric;
    use super::super::tests::{any_history, any_model};
    use super::*;
    use crate::btyd::{History, PurchaseModel};

    proptest! {
        #[test]
        fn derivatives_are_those_of_the_value(model in any_model(), history in any_history()) {
            let BetaGeometric { r, alpha, a, b, chances_when_new } = model;
            let (History { x, t_x, age }, parameters) = (history, [r, alpha, a, b]);
            let n = x + chances_when_new;
            let at = |values| of_one_count(&[([x, t_x, age], 1.0)], values, n);
            let exact = at(parameters);
            prop_assert!((exact.value - model.log_likelihood(&history)).abs() < 1e-9);
            for (i, parameter) in parameters.into_iter().enumerate() {
                let (step, size) = (1e-5 * parameter, (1.0 + x) / parameter);
                let moved = |by: f64| at(std::array::from_fn(|k| {
                    parameters[k] + if k == i { by } else { 0.0 }
                }));
                let (up, down) = (moved(step), moved(-step));
                let slope = (up.value - down.value) / (2.0 * step);
                prop_assert!((exact.gradient[i] - slope).abs() < 1e-3 * size, "{i}: {slope}");
                for (j, other) in parameters.into_iter().enumerate().take(i + 1) {
                    let slope = (up.gradient[j] - down.gradient[j]) / (2.0 * step);
                    let error = exact.hessian[i][j] - slope;
                    prop_assert!(error.abs() < 1e-3 * size / other, "{i}, {j}: {slope}");
                }
            }
        }

        #[test]
        fn rows_of_one_count_add_up(
            model in any_model(), histories in prop::collection::vec(any_history(), 1..9),
        ) {
            let BetaGeometric { r, alpha, a, b, chances_when_new } = model;
            let parameters = [r, alpha, a, b];
            let rows = histories.iter().zip(1_u32..);
            let mut rows: Vec<Row> = rows
                .map(|(History { t_x, age, .. }, n)| ([3.0, *t_x, *age], f64::from(n % 3)))
                .collect();
            rows.sort_by(|one, other| one.0[1].total_cmp(&other.0[1]));
            let n = 3.0 + chances_when_new;
            let mut sum = Derivatives::ZERO;
            for row in &rows {
                sum.add(1.0, &of_one_count(&[*row], parameters, n));
            }
            let all = of_one_count(&rows, parameters, n);
            let size = all.value.abs().max(1.0);
            prop_assert!((all.value - sum.value).abs() < 1e-12 * size, "{all:?} {sum:?}");
            for i in 0..4 {
                prop_assert!((all.gradient[i] - sum.gradient[i]).abs() < 1e-9 * size);
            }
        }
    }
}
