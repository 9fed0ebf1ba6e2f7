//! sBG, the shifted beta-geometric: how long customers keep renewing a contract.
//!
//! Source: Fader, Hardie (2007), How to project customer retention, Journal of Interactive Marketing
//! 21(1), equations 5 to 8 and B3; Fader, Hardie (2010), Customer-base valuation in a contractual
//! setting, Marketing Science 29(1), equation 6 (residual lifetime).
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
    /// `None` unless n is a whole number ≥ 1 and d finite and ≥ 0, and when the sum is infinite: for
    /// d = 0 and α ≤ 1.
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
pub fn fit(data: &Collapsed<2>) -> Fit {
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
