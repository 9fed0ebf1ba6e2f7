//! The maximum likelihood fit of Pareto/NBD, with exact derivatives.
//!
//! Source: see the model; the derivatives are taken under the integral.
//!
//! Notation: the likelihood of a customer is Γ(r + x) / Γ(r) α^r β^s times the sum over what may
//! have become of the customer: alive at τ = T (d = 0), or gone at a time τ since `t_x` (d = 1).
//! Its terms are s^d (α + τ)^(−R) (β + τ)^(−s − d). N(τ) is the term of who is alive at τ, F(τ) the
//! integral over terms of who leaves at τ or later, at most at the end of all rows of this x. The
//! sum is F(`t_x`) + (N − F)(T): rows of one x share F and N at the times of all of them.
//!
//! # Numerics
//! Everything at a time is divided by N there. The difference of two F loses no digits that
//! matter: the sum is never below F(`t_x`).

use super::super::fit::{Evidence, FitProblem};
use super::super::{Collapsed, Fit};
use super::{Decay, LONGEST_PANEL, MODEL};
use crate::optimize::Derivatives;
use crate::special::{SHORT, ln_rising_derivatives, visit_nodes, visit_short};

/// Points from which the search starts, with time scaled to mean age 1: heavy and light drop-out,
/// and between.
const STARTS: [[f64; 4]; 3] = [
    [0.5, 0.3, 0.6, 0.4],
    [1.0, 0.5, 0.1, 1.0],
    [1.0, 0.5, 3.0, 3.0],
];

/// Rows that share: more would take much memory where few times are the same.
const MOST_ROWS: usize = 1 << 15;
/// Products of likelihoods are turned to logarithms when they fall below.
const SMALL: f64 = 1e-200;
/// A likelihood above and a product of that size are not 0.
const MODERATE: f64 = 1e-100;

/// (x, `t_x`, T), and customers.
type Row = ([f64; 3], f64);

/// The maximum likelihood fit to rows (x, `t_x`, T).
pub(super) fn fit(data: Collapsed<3>) -> Fit {
    let problem = FitProblem {
        model: &MODEL,
        data,
        scaled_by: 2,
        scaled_columns: &[1, 2],
        scaled_parameters: &[1, 3],
        starts: STARTS,
        evidence: Evidence::REPEAT_PURCHASE,
    };
    let by_count = |rows: Vec<Row>| -> Vec<OneCount> {
        // Rows are in the order of x.
        let groups = rows.chunk_by(|one, other| one.0[0].total_cmp(&other.0[0]).is_eq());
        let groups = groups.flat_map(|rows| rows.chunks(MOST_ROWS));
        groups.map(OneCount::new).collect()
    };
    let log_likelihood = |groups: &Vec<OneCount>, parameters: &[f64; 4]| {
        let mut sum = Derivatives::ZERO;
        for group in groups {
            sum.add(1.0, &group.log_likelihood(*parameters));
        }
        sum
    };
    problem.solve_prepared(by_count, log_likelihood, |[x, ..]| *x)
}

/// Rows of the same x.
struct OneCount {
    x: f64,
    /// All `t_x` and T, ascending.
    times: Vec<f64>,
    rows: Vec<Spell>,
}

/// A row with its `t_x` and T as positions among the times.
struct Spell {
    last: u32,
    now: u32,
    customers: f64,
}

impl OneCount {
    #[expect(clippy::cast_possible_truncation, reason = "few rows have few times")]
    fn new(rows: &[Row]) -> Self {
        let times = rows.iter().flat_map(|([_, t_x, age], _)| [*t_x, *age]);
        let mut times: Vec<f64> = times.collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let position = |time: f64| times.partition_point(|other| *other < time) as u32;
        let spell = |([_, t_x, age], customers): &Row| Spell {
            last: position(*t_x),
            now: position(*age),
            customers: *customers,
        };
        Self {
            x: rows[0].0[0],
            rows: rows.iter().map(spell).collect(),
            times,
        }
    }

    /// With derivatives in r, α, s, β.
    fn log_likelihood(&self, parameters: [f64; 4]) -> Derivatives<4> {
        let alive = Term::alive(parameters, self.x);
        let moments = moments(&alive, &self.times);
        let mut shares = vec![[0.0; 2]; moments.len()];
        let (mut customers, mut ln_sum, mut product) = (0.0, 0.0, 1.0);
        let mut sum = Derivatives::ZERO;
        for row in &self.rows {
            let (last, now) = (row.last as usize, row.now as usize);
            let (from, to) = (&moments[last], &moments[now]);
            let ratio = (to.ln_alive - from.ln_alive).exp();
            let likelihood = from.gone.value + ratio * to.rest;
            if row.customers > 1.0 || likelihood < MODERATE {
                ln_sum += row.customers * likelihood.ln();
            } else {
                // One logarithm for many customers.
                product *= likelihood;
            }
            if product < SMALL {
                ln_sum += product.ln();
                product = 1.0;
            }
            customers += row.customers;
            ln_sum += row.customers * from.ln_alive;
            let (gone, rest) = (1.0 / likelihood, ratio / likelihood);
            shares[last][0] += row.customers * gone;
            shares[now][1] += row.customers * rest;
            let slope: [f64; 4] =
                std::array::from_fn(|i| gone * from.gone.gradient[i] + rest * to.rest_gradient[i]);
            for i in 0..4 {
                for j in 0..=i {
                    sum.hessian[i][j] -= row.customers * slope[i] * slope[j];
                }
            }
        }
        for (moment, [gone, rest]) in moments.iter().zip(&shares) {
            sum.add(gone - rest, &moment.gone);
            alive.add(*rest, &moment.place, &mut sum);
        }
        let [r, alpha, ..] = parameters;
        let of_r = ln_rising_derivatives(r, self.x);
        sum.value = ln_sum + product.ln() + customers * (of_r[0] - self.x * alpha.ln());
        sum.gradient[0] += customers * of_r[1];
        sum.hessian[0][0] += customers * of_r[2];
        sum
    }
}

/// What rows share at a time τ, divided by N there.
struct Moment {
    place: Place,
    /// ln of (1 + τ / α)^(−R) (1 + τ / β)^(−s)
    ln_alive: f64,
    /// F with its derivatives.
    gone: Derivatives<4>,
    /// N − F with its first derivatives.
    rest: f64,
    rest_gradient: [f64; 4],
}

/// At all of some ascending times.
fn moments(alive: &Term, times: &[f64]) -> Vec<Moment> {
    let gone = alive.gone();
    let mut next: Option<f64> = None;
    let mut moments: Vec<Moment> = Vec::with_capacity(times.len());
    for time in times.iter().rev() {
        let place = Place::new(alive, *time);
        let ln_alive = alive.ln_at(&place);
        let mut sum = Derivatives::ZERO;
        if let (Some(next), Some(after)) = (next, moments.last()) {
            gone.integrate(&place, next - time, &mut sum);
            sum.add((after.ln_alive - ln_alive).exp(), &after.gone);
        }
        let mut rest = Derivatives::ZERO;
        rest.add(-1.0, &sum);
        alive.add(1.0, &place, &mut rest);
        next = Some(*time);
        moments.push(Moment {
            place,
            ln_alive,
            gone: sum,
            rest: rest.value,
            rest_gradient: rest.gradient,
        });
    }
    moments.reverse();
    moments
}

/// A time τ.
struct Place {
    /// τ / α, τ / β
    growth: [f64; 2],
    /// ln(1 + τ / α), ln(1 + τ / β)
    ln: [f64; 2],
    /// 1 / (α + τ), 1 / (β + τ)
    inverse: [f64; 2],
}

impl Place {
    fn new(Term { alpha, beta, .. }: &Term, time: f64) -> Self {
        let growth = [time / alpha, time / beta];
        Self {
            growth,
            ln: growth.map(f64::ln_1p),
            inverse: [1.0 / (alpha + time), 1.0 / (beta + time)],
        }
    }
}

/// α^r β^s s^d (α + τ)^(−R) (β + τ)^(−s − d)
struct Term {
    r: f64,
    x: f64,
    alpha: f64,
    s: f64,
    beta: f64,
    d: f64,
}

impl Term {
    fn alive([r, alpha, s, beta]: [f64; 4], x: f64) -> Self {
        Self {
            r,
            x,
            alpha,
            s,
            beta,
            d: 0.0,
        }
    }

    fn gone(&self) -> Self {
        Self { d: 1.0, ..*self }
    }

    fn ln_at(&self, place: &Place) -> f64 {
        -(self.r + self.x) * place.ln[0] - (self.s + self.d) * place.ln[1]
    }

    /// Adds `weight` times the derivatives over the term.
    ///
    /// # Numerics
    /// Those in α and β are differences of two that are large when the parameters are: r / α and R
    /// / (α + τ). They are taken by τ / α.
    fn add(&self, weight: f64, place: &Place, sum: &mut Derivatives<4>) {
        let Self { r, x, s, d, .. } = *self;
        let Place {
            growth: [a, b],
            ln: [ln_a, ln_b],
            inverse: [per_a, per_b],
        } = *place;
        let slope = [
            -ln_a,
            (r * a - x) * per_a,
            d / s - ln_b,
            (s * b - d) * per_b,
        ];
        sum.value += weight;
        for i in 0..4 {
            sum.gradient[i] += weight * slope[i];
            for j in 0..=i {
                sum.hessian[i][j] += weight * slope[i] * slope[j];
            }
        }
        sum.hessian[1][0] += weight * a * per_a;
        sum.hessian[1][1] += weight * (x - r * a * (2.0 + a)) * per_a * per_a;
        sum.hessian[2][2] -= weight * d / (s * s);
        sum.hessian[3][2] += weight * b * per_b;
        sum.hessian[3][3] += weight * (d - s * b * (2.0 + b)) * per_b * per_b;
    }

    /// Adds the integral over the time that follows the place, of who leaves, over N at the place.
    fn integrate(&self, from: &Place, time: f64, sum: &mut Derivatives<4>) {
        let (shape, power) = (self.r + self.x, self.s + self.d);
        let leaving = Decay {
            purchases: (1.0 / from.inverse[0], shape),
            leaving: (1.0 / from.inverse[1], power),
            kappa: 0.0,
        };
        let density = self.s * from.inverse[1];
        let mut visit = |u: f64, weight: f64| {
            let growth = from.inverse.map(|inverse| u * inverse);
            let ln = growth.map(f64::ln_1p);
            let falling = (-shape * ln[0] - power * ln[1]).exp();
            let place = Place {
                growth: [
                    from.growth[0] + u / self.alpha,
                    from.growth[1] + u / self.beta,
                ],
                ln: [from.ln[0] + ln[0], from.ln[1] + ln[1]],
                inverse: std::array::from_fn(|i| from.inverse[i] / (1.0 + growth[i])),
            };
            self.add(weight * density * falling, &place, sum);
        };
        let scale = leaving.scale();
        if time <= SHORT * scale {
            return visit_short(time, scale, visit);
        }
        visit_nodes(0.0, (time / scale).ln_1p(), LONGEST_PANEL, |y, weight| {
            let growth = y.exp();
            visit(scale * (growth - 1.0), scale * growth * weight);
        });
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::super::ParetoNbd;
    use super::*;
    use crate::btyd::{History, PurchaseModel};

    fn any_parameters() -> impl Strategy<Value = [f64; 4]> {
        prop::array::uniform4((-4.0..4.0_f64).prop_map(f64::exp))
    }

    /// Shares of the age and ages of some customers, some of them the same.
    fn any_rows() -> impl Strategy<Value = Vec<Row>> {
        let row = (0_u32..200, 0.0..1.0_f64, 0_u32..40, 1_u32..4);
        prop::collection::vec(row, 1..20).prop_map(|rows| {
            let x = rows[0].0;
            let row = |(_, share, age, customers): &(u32, f64, u32, u32)| {
                let age = 0.1 * f64::from(*age);
                let t_x = if x > 0 { share * age } else { 0.0 };
                ([f64::from(x), t_x, age], f64::from(*customers))
            };
            rows.iter().map(row).collect()
        })
    }

    proptest! {
        #[test]
        fn rows_that_share_have_the_sum_of_their_likelihoods(
            parameters in any_parameters(), rows in any_rows(),
        ) {
            let model = ParetoNbd::try_new(&parameters).unwrap();
            let of_row = |([x, t_x, age], customers): &Row| {
                customers * model.log_likelihood(&History::try_new(*x, *t_x, *age).unwrap())
            };
            let expected: f64 = rows.iter().map(of_row).sum();
            let size = |row: &Row| of_row(row).abs() + row.1 * (1.0 + row.0[0]);
            let size: f64 = rows.iter().map(size).sum();
            let found = OneCount::new(&rows).log_likelihood(parameters).value;
            // Both integrate to 12 digits.
            prop_assert!((found - expected).abs() <= 1e-11 * size, "{found}, {expected}");
        }

        #[test]
        fn derivatives_are_those_of_the_value(
            parameters in any_parameters(), rows in any_rows(),
        ) {
            let group = OneCount::new(&rows);
            let exact = group.log_likelihood(parameters);
            let customers: f64 = rows.iter().map(|(_, customers)| customers).sum();
            for (i, parameter) in parameters.into_iter().enumerate() {
                let (step, size) = (1e-5 * parameter, customers * (1.0 + group.x) / parameter);
                let moved = |by: f64| group.log_likelihood(std::array::from_fn(|k| {
                    parameters[k] + if k == i { by } else { 0.0 }
                }));
                let (up, down) = (moved(step), moved(-step));
                let slope = (up.value - down.value) / (2.0 * step);
                prop_assert!((exact.gradient[i] - slope).abs() <= 1e-5 * size, "{i}: {slope}");
                for (j, other) in parameters.into_iter().enumerate().take(i + 1) {
                    let slope = (up.gradient[j] - down.gradient[j]) / (2.0 * step);
                    let error = exact.hessian[i][j] - slope;
                    prop_assert!(error.abs() <= 1e-5 * size / other, "{i}, {j}: {slope}");
                }
            }
        }
    }

    /// s and β on their way to infinity change the likelihood by 1 / s.
    #[test]
    fn large_parameters_leave_their_digits_to_the_derivatives() {
        let rows = [(0.5, 2.0), (1.0, 1.5), (1.5, 4.0)];
        let group = OneCount::new(&rows.map(|(t_x, age)| ([3.0, t_x, age], 1.0)));
        let rise = |s: f64| {
            let [.., of_s, of_beta] = group.log_likelihood([2.0, 0.5, s, 3.0 * s]).gradient;
            s * of_s + 3.0 * s * of_beta
        };
        let ratio = rise(1e8) / rise(1e7);
        assert!((ratio - 0.1).abs() < 1e-6, "{ratio}");
    }
}
