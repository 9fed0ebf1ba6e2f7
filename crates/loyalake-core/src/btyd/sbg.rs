//! sBG, the shifted beta-geometric: how long customers keep renewing a contract.
//!
//! Source: Fader, Hardie (2007), How to project customer retention, Journal of Interactive
//! Marketing 21(1), equations 6 (survival), 8 (retention) and B3 (likelihood); Fader, Hardie
//! (2010), Customer-base valuation in a contractual setting, Marketing Science 29(1), equation 6
//! (residual lifetime).
//!
//! Assumptions: at the end of each period a customer leaves with probability θ, constant for this
//! customer; θ ~ Beta(α, β) among customers. Retention rises with time because those with a high θ
//! leave first.
//!
//! When to use it: contracts or subscriptions with a renewal at equal steps, where it is known who
//! has left. Few periods are enough to project many.
//!
//! Not here: a customer whose own probability to leave changes with time, and purchases.
//!
//! Notation: t a period, S(t) the share that is still there after t renewals, r(t) = S(t) / S(t −
//! 1).

use super::beta_trials::{Slopes, discounted_steps, ln_probability};
use super::fit::{Evidence, FitProblem};
use super::history::is_whole;
use super::{Collapsed, Fit, Model};
use crate::Result;
use crate::optimize::Derivatives;

/// Name and parameters.
pub const MODEL: Model = Model {
    name: "sbg",
    parameters: &["alpha", "beta"],
    purchases: None,
};

/// The formulas with known parameters, finite and above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sbg {
    alpha: f64,
    beta: f64,
}

impl Sbg {
    /// The formulas for parameters α, β.
    ///
    /// # Errors
    /// When a parameter is not finite or not above 0.
    ///
    /// # Example
    /// ```
    /// use loyalake_core::btyd::sbg::Sbg;
    ///
    /// let high_end = Sbg::try_new(&[0.668, 3.806])?;
    /// assert!((high_end.survival(12.0).unwrap() - 0.378).abs() < 1e-3);
    /// # Ok::<(), loyalake_core::Error>(())
    /// ```
    pub fn try_new(values: &[f64]) -> Result<Self> {
        let [alpha, beta] = MODEL.parameters(values)?;
        Ok(Self { alpha, beta })
    }

    /// S(t), the probability of t renewals.
    ///
    /// # Formula
    /// B(α, β + t) / B(α, β), equation 6
    ///
    /// # Domain
    /// `None` unless t is a whole number ≥ 0.
    pub fn survival(&self, periods: f64) -> Option<f64> {
        let is_in_domain = periods >= 0.0 && is_whole(periods);
        is_in_domain.then(|| ln_probability([self.alpha, self.beta], 0.0, periods).exp())
    }

    /// r(t), the probability of renewal at the end of period t.
    ///
    /// # Formula
    /// (β + t − 1) / (α + β + t − 1), equation 8
    ///
    /// # Domain
    /// `None` unless t is a whole number ≥ 1.
    pub fn retention_rate(&self, periods: f64) -> Option<f64> {
        let stays = self.beta + (periods - 1.0);
        (periods >= 1.0 && is_whole(periods)).then(|| stays / (self.alpha + stays))
    }

    /// Expected discounted further periods of a customer in period n, just before the renewal at
    /// its end, which counts 1; `discount_rate` is effective per period.
    ///
    /// # Formula
    /// r(n) ₂F₁(1, β + n; α + β + n; 1 / (1 + d)), equation 6 of the paper of 2010
    ///
    /// # Domain
    /// `None` unless n is a whole number ≥ 1 and d finite and ≥ 0, and when the sum is infinite:
    /// for d = 0 and α ≤ 1.
    pub fn expected_lifetime(&self, periods: f64, discount_rate: f64) -> Option<f64> {
        let retention = self.retention_rate(periods)?;
        let is_in_domain = discount_rate >= 0.0 && discount_rate.is_finite();
        let renewed = [self.alpha, self.beta + periods];
        is_in_domain
            .then(|| retention * discounted_steps(renewed, None, discount_rate))
            .filter(|lifetime| lifetime.is_finite())
    }
}

/// Whether a customer can have been there for so many periods: whole numbers ≥ 0, and who churned
/// did so at the end of a period.
pub fn accepts(periods: f64, is_churned: bool) -> bool {
    let least = if is_churned { 1.0 } else { 0.0 };
    periods >= least && is_whole(periods)
}

/// One customer's log-likelihood with derivatives in α, β.
///
/// # Formula
/// ln [B(α + c, β + t − c) / B(α, β)], c = 1 for who churned at the end of period t and 0 for who
/// renewed t times
fn derivatives(parameters: [f64; 2], [periods, churned]: [f64; 2]) -> Derivatives<2> {
    let slopes = Slopes::new(parameters, churned, periods - churned);
    Derivatives {
        value: ln_probability(parameters, churned, periods - churned),
        gradient: slopes.gradient(),
        hessian: slopes.hessian(),
    }
}

/// Points from which the search starts: customers who differ much and little.
const STARTS: [[f64; 2]; 3] = [[1.0, 1.0], [0.5, 3.0], [5.0, 20.0]];

/// The maximum likelihood fit to rows of periods, churned (0 or 1).
pub fn fit(data: Collapsed<2>) -> Fit {
    let problem = FitProblem {
        model: &MODEL,
        data,
        scaled_by: 0,
        scaled_columns: &[],
        scaled_parameters: &[],
        starts: STARTS,
        evidence: Evidence {
            is_in: |[periods, _]| *periods > 0.0,
            name: "come to a renewal; wait for the end of a period",
        },
    };
    let log_likelihood = |rows: &[([f64; 2], f64)], parameters: &[f64; 2]| {
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

    use super::super::Status;
    use super::super::simulate::Random;
    use super::*;

    proptest! {
        #[test]
        fn retention_rises_and_multiplies_to_survival(
            ln_alpha in -4.0..4.0_f64, ln_beta in -4.0..4.0_f64, periods in 1_u32..200,
        ) {
            let model = Sbg::try_new(&[ln_alpha.exp(), ln_beta.exp()]).unwrap();
            let rate = |t: u32| model.retention_rate(f64::from(t)).unwrap();
            let product: f64 = (1..=periods).map(rate).product();
            let survival = model.survival(f64::from(periods)).unwrap();
            prop_assert!((product / survival - 1.0).abs() < 1e-11, "{product}, {survival}");
            prop_assert!(rate(periods) < rate(periods + 1));
        }

        /// L(n) = r(n) (1 + L(n + 1) / (1 + d)).
        #[test]
        fn lifetime_is_one_renewal_and_the_rest(
            ln_alpha in -4.0..4.0_f64, ln_beta in -4.0..4.0_f64,
            periods in 1_u32..200, ln_rate in -8.0..1.0_f64,
        ) {
            let model = Sbg::try_new(&[ln_alpha.exp(), ln_beta.exp()]).unwrap();
            let (n, d) = (f64::from(periods), ln_rate.exp());
            let lifetime = |n, d| model.expected_lifetime(n, d).unwrap();
            let rest = lifetime(n + 1.0, d) / (1.0 + d);
            let expected = model.retention_rate(n).unwrap() * (1.0 + rest);
            prop_assert!((lifetime(n, d) / expected - 1.0).abs() < 1e-10);
            prop_assert!(lifetime(n, 2.0 * d) < lifetime(n, d));
        }

        #[test]
        fn derivatives_are_those_of_the_value(
            ln_alpha in -4.0..4.0_f64, ln_beta in -4.0..4.0_f64,
            periods in 1_u32..200, is_churned in prop::bool::ANY,
        ) {
            let parameters = [ln_alpha.exp(), ln_beta.exp()];
            let row = [f64::from(periods), if is_churned { 1.0 } else { 0.0 }];
            let exact = derivatives(parameters, row);
            for (i, parameter) in parameters.into_iter().enumerate() {
                let step = 1e-5 * parameter;
                let moved = |by: f64| derivatives(
                    std::array::from_fn(|k| parameters[k] + if k == i { by } else { 0.0 }),
                    row,
                );
                let (up, down) = (moved(step), moved(-step));
                let slope = (up.value - down.value) / (2.0 * step);
                let size = row[0] / parameter;
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
    fn outside_of_the_domain_there_is_nothing() {
        let model = Sbg::try_new(&[1.0, 2.0]).unwrap();
        for periods in [-1.0, 0.5, f64::NAN, f64::INFINITY] {
            assert_eq!(model.survival(periods), None, "{periods}");
            assert_eq!(model.retention_rate(periods), None, "{periods}");
            assert!(!accepts(periods, false), "{periods}");
        }
        assert_eq!(model.survival(0.0), Some(1.0));
        assert_eq!(model.retention_rate(0.0), None);
        assert!(accepts(0.0, false) && !accepts(0.0, true) && accepts(1.0, true));
        for (periods, rate) in [
            (0.0, 0.1),
            (1.0, -0.1),
            (1.0, f64::INFINITY),
            (1.0, f64::NAN),
        ] {
            assert_eq!(
                model.expected_lifetime(periods, rate),
                None,
                "{periods}, {rate}"
            );
        }
    }

    #[test]
    fn lifetime_without_discount_is_finite_only_for_alpha_above_one() {
        let lifetime = |alpha| {
            Sbg::try_new(&[alpha, 2.0])
                .unwrap()
                .expected_lifetime(4.0, 0.0)
        };
        assert_eq!(lifetime(1.0), None);
        // (β + n − 1) / (α − 1)
        assert!((lifetime(3.0).unwrap() - 2.5).abs() < 1e-14);
    }

    fn fitted(rows: &[([f64; 2], u64)]) -> Fit {
        let mut data = Collapsed::default();
        for (row, customers) in rows {
            data.update(*row, *customers);
        }
        fit(data)
    }

    #[test]
    fn fit_recovers_simulated_parameters() {
        for truth in [[0.7, 1.2], [5.0, 60.0], [3.0, 0.5]] {
            let mut data = Collapsed::default();
            for customer in 0..20_000 {
                let mut random = Random::new(5, customer);
                let theta = random.beta(truth[0], truth[1]);
                // Contracts began at different times.
                let age = f64::from(u32::try_from(customer % 12).unwrap());
                let mut periods = 0.0;
                let mut churned = 0.0;
                while periods < age && churned < 1.0 {
                    periods += 1.0;
                    churned = if random.uniform() < theta { 1.0 } else { 0.0 };
                }
                data.update([periods, churned], 1);
            }
            let fit = fit(data);
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
        let nobody_churned = fitted(&[([5.0, 0.0], 70), ([9.0, 0.0], 30)]);
        assert_eq!(nobody_churned.status, Status::Boundary);
        // α → 0 and β → ∞ both lead there.
        let [alpha, beta] = nobody_churned.values().unwrap().try_into().unwrap();
        assert!(alpha / (alpha + beta) < 1e-6, "{alpha} {beta}");
        for rows in [
            [([1.0, 1.0], 90), ([0.0, 0.0], 10)],
            // The first renewal alone tells the mean of θ, not how much it differs.
            [([1.0, 1.0], 40), ([1.0, 0.0], 60)],
        ] {
            assert_eq!(fitted(&rows).status, Status::Boundary, "{rows:?}");
        }
    }

    #[test]
    fn nobody_who_came_to_a_renewal_is_too_little_data() {
        let fit = fitted(&[([0.0, 0.0], 50)]);
        assert_eq!(
            (fit.status, fit.parameters),
            (Status::InsufficientData, None)
        );
        assert_eq!(
            fit.message.unwrap(),
            "none of 50 customers has come to a renewal; wait for the end of a period"
        );
    }
}
