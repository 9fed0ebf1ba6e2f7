//! Gamma-Gamma: how much customers spend per purchase.
//!
//! Source: Fader, Hardie (2013), The gamma-gamma model of monetary value, equations 1a and 5.
//!
//! Notation: a purchase's value ~ Gamma(p, rate ν), ν ~ Gamma(q, rate v); m the mean value of x
//! repeat purchases. N = p x, S = m x.
//!
//! Not here: a link between spending and frequency; check their correlation before using the model.

use super::fit::{Evidence, FitProblem};
use super::{Collapsed, Fit, Model, Spend};
use crate::Result;
use crate::optimize::Derivatives;
use crate::special::{digamma, ln_gamma, ln_rising, trigamma};

/// Name and parameters.
pub const MODEL: Model = Model {
    name: "gamma_gamma",
    parameters: &["p", "q", "v"],
    purchases: None,
};

/// The formulas with known parameters, all finite and above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaGamma {
    p: f64,
    q: f64,
    v: f64,
}

impl GammaGamma {
    /// The formulas for parameters p, q, v.
    ///
    /// # Errors
    /// When a parameter is not finite or not above 0.
    ///
    /// # Example
    /// ```
    /// use loyalake_core::btyd::{Spend, gamma_gamma::GammaGamma};
    ///
    /// let model = GammaGamma::try_new(&[6.25, 3.74, 15.44])?;
    /// let customer = Spend::try_new(7.0, 73.74);
    /// assert!((model.expected_spend(customer.as_ref()).unwrap() - 71.46).abs() < 0.1);
    /// # Ok::<(), loyalake_core::Error>(())
    /// ```
    pub fn try_new(values: &[f64]) -> Result<Self> {
        let [p, q, v] = MODEL.parameters(values)?;
        Ok(Self { p, q, v })
    }

    /// Expected value per purchase; without a repeat purchase the mean of all customers.
    ///
    /// # Formula
    /// p (v + m x) / (p x + q − 1), equation 5
    ///
    /// # Domain
    /// `None` when p x + q ≤ 1: the mean is infinite.
    pub fn expected_spend(&self, spend: Option<&Spend>) -> Option<f64> {
        let (p, shape, scale) = self.posterior(spend);
        (shape > 1.0).then(|| p * scale / (shape - 1.0))
    }

    /// p, and the shape Q and scale V of the customer's own rate of values: ν ~ Gamma(Q, V).
    pub(super) fn posterior(&self, spend: Option<&Spend>) -> (f64, f64, f64) {
        let (x, mean) = spend.map_or((0.0, 0.0), |spend| (spend.x, spend.mean));
        (self.p, self.q + self.p * x, self.v + mean * x)
    }

    /// The customer's contribution to the log-likelihood, equation 1a.
    pub fn log_likelihood(&self, spend: &Spend) -> f64 {
        derivatives([self.p, self.q, self.v], [spend.x, spend.mean]).value
    }
}

/// One customer's log-likelihood with derivatives in p, q, v.
///
/// # Formula
/// ln [Γ(N + q) / (Γ(N) Γ(q)) · (S / (v + S))^N · (v / (v + S))^q / m]
fn derivatives([p, q, v]: [f64; 3], [x, mean]: [f64; 2]) -> Derivatives<3> {
    let (n, s) = (p * x, mean * x);
    let (ln_share_v, ln_share_s) = (-(s / v).ln_1p(), -(v / s).ln_1p());
    let (psi, psi_1) = (digamma(n + q), trigamma(n + q));
    let total = v + s;
    Derivatives {
        value: ln_rising(q, n) - ln_gamma(n) + n * ln_share_s + q * ln_share_v - mean.ln(),
        gradient: [
            x * (psi - digamma(n) + ln_share_s),
            psi - digamma(q) + ln_share_v,
            q / v - (n + q) / total,
        ],
        hessian: [
            [x * x * (psi_1 - trigamma(n)), 0.0, 0.0],
            [x * psi_1, psi_1 - trigamma(q), 0.0],
            [
                -x / total,
                1.0 / v - 1.0 / total,
                (n + q) / (total * total) - q / (v * v),
            ],
        ],
    }
}

/// Points from which the search starts, with value scaled to mean 1.
const STARTS: [[f64; 3]; 3] = [[5.0, 3.5, 0.5], [1.0, 2.0, 1.0], [20.0, 10.0, 0.5]];

/// The maximum likelihood fit to rows of repeat purchases, mean repeat value.
pub fn fit(data: Collapsed<2>) -> Fit {
    let problem = FitProblem {
        model: &MODEL,
        data,
        scaled_by: 1,
        scaled_columns: &[1],
        scaled_parameters: &[2],
        starts: STARTS,
        evidence: Evidence::REPEAT_PURCHASE,
    };
    let log_likelihood = |rows: &[([f64; 2], f64)], parameters: &[f64; 3]| {
        let mut sum = Derivatives::ZERO;
        for (row, customers) in rows {
            sum.add(*customers, &derivatives(*parameters, *row));
        }
        sum
    };
    problem.solve(log_likelihood, |_| 1.0)
}
