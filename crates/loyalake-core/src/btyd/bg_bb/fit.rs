//! The maximum likelihood fit of BG/BB.
//!
//! The likelihood is a sum over what may have happened since the last purchase: the customer
//! stayed, or left before one of the opportunities. Its derivatives are those of ln Σ e^l.

use super::super::beta_trials::{Slopes, ln_probability};
use super::super::fit::{Evidence, FitProblem};
use super::super::{Collapsed, Fit};
use super::{BgBb, MODEL, is_negligible};
use crate::optimize::Derivatives;

/// ln of a sum of e^l, with derivatives, from those of each l.
struct Mixture {
    sum: f64,
    /// The sums' derivatives.
    first: [f64; 4],
    second: [[f64; 4]; 4],
}

impl Mixture {
    const ZERO: Self = Self {
        sum: 0.0,
        first: [0.0; 4],
        second: [[0.0; 4]; 4],
    };

    /// Adds `weight` = e^l; l is one of buying plus one of leaving.
    fn add(&mut self, weight: f64, buying: &Slopes, leaving: &Slopes) {
        let ([g0, g1], [g2, g3]) = (buying.gradient(), leaving.gradient());
        let gradient = [g0, g1, g2, g3];
        self.sum += weight;
        for i in 0..4 {
            self.first[i] += weight * gradient[i];
            for j in 0..=i {
                self.second[i][j] += weight * gradient[i] * gradient[j];
            }
        }
        let (buying, leaving) = (buying.hessian(), leaving.hessian());
        for i in 0..2 {
            for j in 0..=i {
                self.second[i][j] += weight * buying[i][j];
                self.second[i + 2][j + 2] += weight * leaving[i][j];
            }
        }
    }

    fn ln(&self) -> Derivatives<4> {
        let gradient = self.first.map(|first| first / self.sum);
        Derivatives {
            value: self.sum.ln(),
            gradient,
            hessian: std::array::from_fn(|i| {
                std::array::from_fn(|j| self.second[i][j] / self.sum - gradient[i] * gradient[j])
            }),
        }
    }
}

/// One customer's log-likelihood with derivatives in α, β, γ, δ.
fn derivatives(parameters: [f64; 4], [x, t_x, n]: [f64; 3]) -> Derivatives<4> {
    let model = BgBb::new(parameters);
    let BgBb { buying, leaving } = model;
    let last_seen = model.alive(x, t_x);
    let mut mixture = Mixture::ZERO;
    mixture.add(
        last_seen.ln_stays(n - t_x, 0.0).exp(),
        &Slopes::new(buying, x, n - x),
        &Slopes::new(leaving, 0.0, n),
    );
    let [gamma, d] = last_seen.leaving;
    let mut weight = gamma / (gamma + d);
    let mut buys = Slopes::new(buying, x, t_x - x);
    let mut leaves = Slopes::new(leaving, 1.0, t_x);
    let mut i = 0.0;
    while i < n - t_x && !is_negligible(weight, n - t_x - i, mixture.sum) {
        mixture.add(weight, &buys, &leaves);
        weight *= last_seen.ratio(i, 0.0);
        buys.fail();
        leaves.fail();
        i += 1.0;
    }
    let seen = ln_probability(buying, x, t_x - x) + ln_probability(leaving, 0.0, t_x);
    let mut result = mixture.ln();
    result.value += seen;
    result
}

/// Points from which the search starts: customers who differ much and little, who leave soon and
/// late.
const STARTS: [[f64; 4]; 3] = [
    [1.0, 1.0, 1.0, 3.0],
    [0.5, 2.0, 0.3, 10.0],
    [3.0, 3.0, 2.0, 4.0],
];

/// The maximum likelihood fit to rows of repeat purchases, recency, opportunities.
pub fn fit(data: Collapsed<3>) -> Fit {
    let problem = FitProblem {
        model: &MODEL,
        data,
        scaled_by: 2,
        scaled_columns: &[],
        scaled_parameters: &[],
        starts: STARTS,
        evidence: Evidence::REPEAT_PURCHASE,
    };
    let log_likelihood = |rows: &[([f64; 3], f64)], parameters: &[f64; 4]| {
        let mut sum = Derivatives::ZERO;
        for (row, customers) in rows {
            sum.add(*customers, &derivatives(*parameters, *row));
        }
        sum
    };
    problem.solve(log_likelihood, |_| 0.0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::super::super::simulate::Random;
    use super::super::super::{PurchaseModel, Status};
    use super::super::tests::{any_parameters, any_row, known};
    use super::*;

    proptest! {
        #[test]
        fn derivatives_are_those_of_the_value(parameters in any_parameters(), row in any_row()) {
            let at = |parameters| derivatives(parameters, row);
            let exact = at(parameters);
            let value = BgBb::new(parameters).log_likelihood(&known(row));
            prop_assert!((exact.value - value).abs() < 1e-11 * (1.0 + value.abs()));
            for (i, parameter) in parameters.into_iter().enumerate() {
                let (step, size) = (1e-5 * parameter, (1.0 + row[2]) / parameter);
                let moved = |by: f64| at(std::array::from_fn(|k| {
                    parameters[k] + if k == i { by } else { 0.0 }
                }));
                let (up, down) = (moved(step), moved(-step));
                let slope = (up.value - down.value) / (2.0 * step);
                prop_assert!((exact.gradient[i] - slope).abs() < 1e-6 * size, "{i}: {slope}");
                for (j, other) in parameters.into_iter().enumerate().take(i + 1) {
                    let slope = (up.gradient[j] - down.gradient[j]) / (2.0 * step);
                    let error = exact.hessian[i][j] - slope;
                    prop_assert!(error.abs() < 1e-6 * size / other, "{i}, {j}: {slope}");
                }
            }
        }
    }

    #[test]
    fn a_million_opportunities_have_finite_derivatives() {
        for (x, t_x) in [(0.0, 0.0), (1e5, 1e5), (1e5, 999_990.0), (1e6, 1e6)] {
            let Derivatives {
                gradient, hessian, ..
            } = derivatives([1.204, 0.750, 0.657, 2.783], [x, t_x, 1e6]);
            let mut all = hessian.iter().flatten().chain(&gradient);
            assert!(all.all(|derivative| derivative.is_finite()), "{x}, {t_x}");
        }
    }

    fn simulated([alpha, beta, gamma, delta]: [f64; 4], customers: u64) -> Collapsed<3> {
        let mut data = Collapsed::default();
        for customer in 0..customers {
            let mut random = Random::new(3, customer);
            let (p, theta) = (random.beta(alpha, beta), random.beta(gamma, delta));
            let n = if customer % 2 == 0 { 8 } else { 20 };
            let (mut x, mut t_x) = (0.0, 0.0);
            for opportunity in 1..=n {
                if random.uniform() < theta {
                    break;
                }
                if random.uniform() < p {
                    (x, t_x) = (x + 1.0, f64::from(opportunity));
                }
            }
            data.update([x, t_x, f64::from(n)], 1);
        }
        data
    }

    #[test]
    fn fit_recovers_simulated_parameters() {
        for truth in [
            [1.2, 0.75, 0.66, 2.8],
            [2.0, 6.0, 1.0, 1.0],
            [0.3, 2.0, 0.2, 4.0],
        ] {
            let fit = fit(simulated(truth, 20_000));
            assert_eq!(fit.status, Status::Ok, "{fit:?}");
            for (estimate, truth) in fit.parameters.unwrap().iter().zip(truth) {
                let error = estimate.value - truth;
                assert!(
                    error.abs() < 3.5 * estimate.std_error.unwrap(),
                    "{estimate:?}, {truth}"
                );
            }
        }
    }

    #[test]
    fn likelihood_that_rises_to_the_boundary_is_reported() {
        let (mut nobody_leaves, mut all_always, mut never) = (
            Collapsed::default(),
            Collapsed::default(),
            Collapsed::default(),
        );
        for x in 1..10 {
            nobody_leaves.update([f64::from(x), 10.0, 10.0], 5);
        }
        all_always.update([6.0, 6.0, 6.0], 100);
        never.update([0.0, 0.0, 6.0], 100);
        for (data, expected) in [
            (nobody_leaves, Status::Boundary),
            (all_always, Status::Boundary),
            (never, Status::InsufficientData),
        ] {
            let fit = fit(data);
            assert_eq!(fit.status, expected, "{fit:?}");
        }
    }
}
