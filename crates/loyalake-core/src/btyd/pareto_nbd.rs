//! Pareto/NBD: repeat purchases of customers who may silently leave at any moment.
//!
//! Source: Schmittlein, Morrison, Colombo (1987), Counting your customers: who are they and what
//! will they do next?, Management Science 33(1); Fader, Hardie (2005), A note on deriving the
//! Pareto/NBD model and related expressions, equations 17 (likelihood), 36 (conditional
//! expectation) and 39 (P(alive)).
//!
//! Notation: a customer buys at rate λ ~ Gamma(r, rate α) and leaves at rate μ ~ Gamma(s, rate β),
//! both constant until the customer leaves. R = r + x; A and B are α and β plus a time. Given that
//! the customer is alive at T, λ ~ Gamma(R, α + T) and μ ~ Gamma(s, β + T).
//!
//! Not here: rates that change over time, or depend on each other.

use super::model::each_count_if_alive;
use super::poisson_gamma::{self, FirstProbabilities};
use super::{Collapsed, Fit, History, Model, PurchaseModel};
use crate::Result;
use crate::special::{integrate, ln_integral_of_log_concave, ln_rising, softplus, visit_nodes};

mod likelihood;

/// Name and parameters.
pub const MODEL: Model = Model {
    name: "pareto_nbd",
    parameters: &["r", "alpha", "s", "beta"],
    purchases: Some(|values| Ok(Box::new(ParetoNbd::try_new(values)?))),
};

/// A discount of e^(−40) is none of a result's digits.
const DISCOUNTED_AWAY: f64 = 40.0;
/// Longest part of the y axis that one quadrature rule covers to 12 digits.
const LONGEST_PANEL: f64 = 3.5;
/// The same in multiples of 1 / √n, for functions that change with n purchases, to 10 digits.
const PANEL_SPREADS: f64 = 6.0;

/// Shapes from which on the times of one quadrature would be too many for all counts.
const LARGEST_SHAPE: f64 = 1e4;
/// A share of e^(−32) of customers who buy after all is none of a result's digits.
const NEVER: f64 = 32.0;
/// Most steps towards the time of the next purchase, and the relative one that is the last.
const MOST_STEPS: u32 = 200;
const LAST_STEP: f64 = 1e-12;

/// The maximum likelihood fit to rows of repeat purchases, recency, age.
pub fn fit(data: Collapsed<3>) -> Fit {
    likelihood::fit(data)
}

/// The formulas with known parameters, all finite and above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParetoNbd {
    r: f64,
    alpha: f64,
    s: f64,
    beta: f64,
}

/// The product of two powers and an exponential that all formulas integrate over time u.
///
/// # Formula
/// (1 + u / A)^(−a) (1 + u / B)^(−b) e^(−κ u)
#[derive(Debug, Clone, Copy)]
struct Decay {
    /// A and a.
    purchases: (f64, f64),
    /// B and b.
    leaving: (f64, f64),
    kappa: f64,
}

impl Decay {
    fn ln_at(&self, u: f64) -> f64 {
        let ((a_time, a), (b_time, b)) = (self.purchases, self.leaving);
        -a * (u / a_time).ln_1p() - b * (u / b_time).ln_1p() - self.kappa * u
    }

    /// The shortest time in which it changes.
    fn scale(&self) -> f64 {
        let ((a_time, a), (b_time, b)) = (self.purchases, self.leaving);
        1.0 / ((1.0 + a) / a_time + (1.0 + b) / b_time + self.kappa)
    }

    /// ∫ over u from 0 to `end`.
    ///
    /// # Numerics
    /// All terms are positive: the published difference of two ₂F₁ cancels near `t_x` = T and has
    /// special cases (α = β, s = 1). The integrand falls over many orders of magnitude of u, so it
    /// is integrated over y = ln(1 + u / scale).
    fn integral(&self, end: f64) -> f64 {
        let scale = self.scale();
        let integrand = |y: f64| (self.ln_at(scale * y.exp_m1()) + y).exp();
        scale * integrate(integrand, 0.0, (end / scale).ln_1p(), LONGEST_PANEL)
    }
}

/// A customer as the formulas need it, if alive.
struct Posterior {
    /// R and α + T: the purchase rate is Gamma(shape, rate).
    shape: f64,
    rate: f64,
    /// β + T: the rate of leaving is Gamma(s, rate).
    leaving_rate: f64,
}

impl ParetoNbd {
    /// The formulas for parameters r, α, s, β.
    ///
    /// # Errors
    /// When a parameter is not finite or not above 0.
    ///
    /// # Example
    /// ```
    /// use loyalake_core::btyd::{History, PurchaseModel, pareto_nbd::ParetoNbd};
    ///
    /// let model = ParetoNbd::try_new(&[0.553, 10.578, 0.606, 11.669])?;
    /// let customer = History::try_new(2.0, 30.43, 38.86).unwrap();
    /// assert!((model.expected_purchases(&customer, 39.0) - 1.455).abs() < 1e-3);
    /// # Ok::<(), loyalake_core::Error>(())
    /// ```
    pub fn try_new(values: &[f64]) -> Result<Self> {
        let [r, alpha, s, beta] = MODEL.parameters(values)?;
        Ok(Self { r, alpha, s, beta })
    }

    fn posterior(&self, x: f64, age: f64) -> Posterior {
        Posterior {
            shape: self.r + x,
            rate: self.alpha + age,
            leaving_rate: self.beta + age,
        }
    }

    /// E[time that the customer stays within the horizon | alive].
    ///
    /// # Formula
    /// ((1 + w)^(1 − s) − 1) / (1 − s) · (β + T), w = horizon / (β + T)
    fn time_if_alive(&self, posterior: &Posterior, horizon: f64) -> f64 {
        let growth = (horizon / posterior.leaving_rate).ln_1p();
        let exponent = (1.0 - self.s) * growth;
        // At s = 1 this is the limit.
        let mean = if exponent.abs() > f64::EPSILON {
            exponent.exp_m1() / exponent
        } else {
            1.0
        };
        posterior.leaving_rate * growth * mean
    }

    /// The same, each moment u ahead counting e^(−κ u).
    fn discounted_time_if_alive(&self, posterior: &Posterior, horizon: f64, kappa: f64) -> f64 {
        let staying = Decay {
            purchases: (f64::INFINITY, 0.0),
            leaving: (posterior.leaving_rate, self.s),
            kappa,
        };
        staying.integral(horizon.min(DISCOUNTED_AWAY / kappa))
    }

    /// All the time that the customer stays, infinite for s ≤ 1.
    fn time_without_end(&self, posterior: &Posterior) -> f64 {
        if self.s > 1.0 {
            posterior.leaving_rate / (self.s - 1.0)
        } else {
            f64::INFINITY
        }
    }

    /// P(n ≥ 1 purchases within the horizon, the customer leaving before its end | alive).
    ///
    /// # Formula
    /// ∫ P(n purchases until τ) · s / B · (1 + τ / B)^(−s − 1) dτ, over y = ln τ, in which the
    /// integrand's logarithm is concave
    fn count_if_leaving(&self, posterior: &Posterior, horizon: f64, n: f64) -> f64 {
        let (s, b_time) = (self.s, posterior.leaving_rate);
        let (a_time, shape) = (posterior.rate, posterior.shape);
        let ln_integrand = |y: f64| {
            let tau = y.exp();
            -shape * (tau / a_time).ln_1p() - n * (a_time / tau).ln_1p() + y
                - (s + 1.0) * (tau / b_time).ln_1p()
        };
        let slope = |y: f64| {
            let tau = y.exp();
            let share = tau / (a_time + tau);
            n * (1.0 - share) - shape * share + 1.0 - (s + 1.0) * tau / (b_time + tau)
        };
        let ln_integral = ln_integral_of_log_concave(ln_integrand, slope, horizon.ln());
        let ln_count = poisson_gamma::ln_count(shape, n);
        (ln_integral + ln_count + (s / b_time).ln()).exp()
    }

    /// No purchase before leaving.
    fn none_until_leaving(&self, posterior: &Posterior) -> Decay {
        Decay {
            purchases: (posterior.rate, posterior.shape),
            leaving: (posterior.leaving_rate, self.s + 1.0),
            kappa: 0.0,
        }
    }

    fn until_purchase(&self, posterior: &Posterior) -> Decay {
        Decay {
            purchases: (posterior.rate, posterior.shape + 1.0),
            leaving: (posterior.leaving_rate, self.s),
            kappa: 0.0,
        }
    }

    /// No more than [`Self::buys_again`], and quick.
    ///
    /// # Formula
    /// E[1 / (1 + μ / λ)] ≥ 1 / (1 + E[μ] E[1 / λ]) (Jensen), E[1 / λ] being finite for R > 1
    fn surely_buys_again(&self, posterior: &Posterior) -> f64 {
        let Posterior {
            shape,
            rate,
            leaving_rate,
        } = posterior;
        let odds = leaving_rate / self.s * f64::max(shape - 1.0, 0.0) / rate;
        odds / (1.0 + odds)
    }

    /// P(there is a next purchase | alive).
    fn buys_again(&self, posterior: &Posterior) -> f64 {
        let buying = self.until_purchase(posterior);
        // What comes later falls by a power of time.
        let far = (NEVER / (posterior.shape + self.s)).exp();
        let end = far * (posterior.rate + posterior.leaving_rate);
        posterior.shape / posterior.rate * buying.integral(end.min(f64::MAX))
    }

    /// P(next purchase within the time | alive) and its derivative.
    fn next_purchase(&self, posterior: &Posterior, time: f64) -> (f64, f64) {
        let buying = self.until_purchase(posterior);
        let rate = posterior.shape / posterior.rate;
        (
            rate * buying.integral(time),
            rate * buying.ln_at(time).exp(),
        )
    }
}

impl PurchaseModel for ParetoNbd {
    /// # Formula
    /// ln [s / B · ∫ (1 + u / A)^(−R) (1 + u / B)^(−s − 1) du over the silence · (1 + silence /
    /// A)^R (1 + silence / B)^s], A = α + `t_x`, B = β + `t_x`
    fn ln_odds_of_having_left(&self, history: &History) -> f64 {
        let (shape, silence) = (self.r + history.x, history.age - history.t_x);
        let (a_time, b_time) = (self.alpha + history.t_x, self.beta + history.t_x);
        let left = Decay {
            purchases: (a_time, shape),
            leaving: (b_time, self.s + 1.0),
            kappa: 0.0,
        };
        (self.s / b_time * left.integral(silence)).ln()
            + shape * (silence / a_time).ln_1p()
            + self.s * (silence / b_time).ln_1p()
    }

    /// # Formula
    /// R / (α + T) · E[time that the customer stays]
    fn purchases_if_alive(&self, x: f64, age: f64, horizon: Option<f64>, rate: f64) -> f64 {
        let posterior = self.posterior(x, age);
        let kappa = rate.ln_1p();
        let time = match horizon {
            None if kappa <= 0.0 => self.time_without_end(&posterior),
            None => self.discounted_time_if_alive(&posterior, f64::INFINITY, kappa),
            Some(horizon) if kappa <= 0.0 => self.time_if_alive(&posterior, horizon),
            Some(horizon) => self.discounted_time_if_alive(&posterior, horizon, kappa),
        };
        posterior.shape / posterior.rate * time
    }

    /// Those of a customer who does not leave.
    fn most_purchases_if_alive(&self, x: f64, age: f64, horizon: f64) -> f64 {
        let posterior = self.posterior(x, age);
        posterior.shape / posterior.rate * horizon
    }

    fn time_scale(&self) -> f64 {
        self.alpha.min(self.beta)
    }

    /// # Formula
    /// ln [Γ(r + x) / Γ(r) · α^r β^s / ((α + T)^(r + x) (β + T)^s) · (1 + odds of having left)]
    fn log_likelihood(&self, history: &History) -> f64 {
        let Self { r, alpha, s, beta } = *self;
        let (x, age) = (history.x, history.age);
        let purchases = ln_rising(r, x) - r * (age / alpha).ln_1p() - x * (alpha + age).ln();
        purchases - s * (age / beta).ln_1p() + softplus(self.ln_odds_of_having_left(history))
    }

    /// Staying to the end, or leaving at some time before it.
    fn count_if_alive(&self, x: f64, age: f64, horizon: f64, n: f64) -> f64 {
        let posterior = self.posterior(x, age);
        let ln_staying = -self.s * (horizon / posterior.leaving_rate).ln_1p();
        let ln_count = poisson_gamma::ln_probability(posterior.shape, horizon / posterior.rate, n);
        let stays = (ln_count + ln_staying).exp();
        if n > 0.0 {
            return stays + self.count_if_leaving(&posterior, horizon, n);
        }
        let leaves = self.none_until_leaving(&posterior).integral(horizon);
        stays + self.s / posterior.leaving_rate * leaves
    }

    /// # Numerics
    /// All counts share the times of one quadrature.
    fn first_counts_if_alive(&self, x: f64, age: f64, horizon: f64, most: usize) -> Vec<f64> {
        let posterior = self.posterior(x, age);
        let (shape, time) = (posterior.shape, posterior.rate);
        if shape > LARGEST_SHAPE {
            return each_count_if_alive(self, [x, age, horizon], most);
        }
        let ln_staying = -self.s * (horizon / posterior.leaving_rate).ln_1p();
        let bought = FirstProbabilities::new(shape, most);
        let mut counts = vec![0.0; most + 1];
        bought.add(horizon / time, ln_staying.exp(), &mut counts);
        let none = self.none_until_leaving(&posterior);
        let scale = none.scale();
        let factor = self.s / posterior.leaving_rate * scale;
        // Counts are spread about as widely as Poisson variables.
        let panel = LONGEST_PANEL.min(PANEL_SPREADS / (shape + most as f64).sqrt());
        visit_nodes(0.0, (horizon / scale).ln_1p(), panel, |y, weight| {
            let tau = scale * y.exp_m1();
            let ln_leaves = -(self.s + 1.0) * (tau / posterior.leaving_rate).ln_1p();
            let leaves = (ln_leaves + y).exp() * factor * weight;
            bought.add(tau / time, leaves, &mut counts);
        });
        counts.split_off(1)
    }

    /// # Numerics
    /// Newton's method on ln P(no purchase yet) over ln(1 + time / (α + T)), in which it is convex
    /// and a straight line for customers who never leave: from there every step stays before the
    /// root, and ends there when there is one.
    fn next_purchase_quantile(&self, history: &History, q: f64) -> Option<f64> {
        let posterior = self.posterior(history.x, history.age);
        let share = q / self.p_alive(history);
        let is_possible =
            || share < self.surely_buys_again(&posterior) || share < self.buys_again(&posterior);
        if share >= 1.0 || !is_possible() {
            return None;
        }
        let target = (-share).ln_1p();
        let mut y = -target / posterior.shape;
        for _ in 0..MOST_STEPS {
            let time = posterior.rate * y.exp_m1();
            let (bought, density) = self.next_purchase(&posterior, time);
            let excess = (-bought).ln_1p() - target;
            let slope = density * (posterior.rate + time) / (1.0 - bought);
            let step = excess / slope;
            if step <= LAST_STEP * y {
                return Some(time);
            }
            y += step;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn who_surely_buys_again_buys_again(
            parameters in prop::array::uniform4((-4.0..4.0_f64).prop_map(f64::exp)),
            x in 0_u32..100, age in 0.0..1_000.0_f64,
        ) {
            let model = ParetoNbd::try_new(&parameters).unwrap();
            let posterior = model.posterior(f64::from(x), age);
            let least = model.surely_buys_again(&posterior);
            let share = model.buys_again(&posterior);
            prop_assert!((0.0..=share * (1.0 + 1e-11)).contains(&least), "{least}, {share}");
        }
    }
}
