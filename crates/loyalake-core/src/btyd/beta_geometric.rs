//! What BG/NBD and MBG/NBD share: Poisson purchases, and a coin thrown to leave after a purchase.
//!
//! Source: Fader, Hardie, Lee (2005), "Counting your customers" the easy way, Marketing Science
//! 24(2); Batislam, Denizel, Filiztekin (2007), Empirical validation and comparison of models for
//! customer base analysis.
//!
//! Notation: a customer buys at rate λ ~ Gamma(r, rate α) and leaves with probability p ~ Beta(a,
//! b) at each of n chances. BG/NBD: after each repeat purchase, n = x. MBG/NBD: after the first
//! purchase, too, n = x + 1. R = r + x, A = α + T. Given that the customer is alive, λ ~ Gamma(R,
//! A) and p ~ Beta(a, b + n).

mod likelihood;

pub(super) use likelihood::fit;

use super::poisson_gamma::{self, FirstProbabilities};
use super::{History, PurchaseModel};
use crate::special::{BetaAverage, IncompleteBeta, integrate, ln_beta_ratio, ln_rising, softplus};

/// A discount of e^(−40) is none of a result's digits.
const DISCOUNTED_AWAY: f64 = 40.0;
/// Longest part of the y axis that one quadrature rule covers to 12 digits.
const LONGEST_PANEL: f64 = 3.5;

/// The formulas with known parameters, all finite and above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetaGeometric {
    r: f64,
    alpha: f64,
    a: f64,
    b: f64,
    /// Chances to leave before the first repeat purchase: 0 in BG/NBD, 1 in MBG/NBD.
    chances_when_new: f64,
}

/// A customer as the formulas need it.
struct Posterior {
    /// R and A: the purchase rate is λ ~ Gamma(R, A).
    shape: f64,
    rate: f64,
    /// b + n: the customer leaves at each chance with p ~ Beta(a, b + n).
    b: f64,
}

impl BetaGeometric {
    pub(super) fn new([r, alpha, a, b]: [f64; 4], chances_when_new: f64) -> Self {
        Self {
            r,
            alpha,
            a,
            b,
            chances_when_new,
        }
    }

    fn posterior(&self, x: f64, age: f64) -> Posterior {
        Posterior {
            shape: self.r + x,
            rate: self.alpha + age,
            b: self.b + x + self.chances_when_new,
        }
    }

    /// E[purchases in the horizon w A | alive] = E over p of (1 − (1 + p w)^(−R)) / p.
    ///
    /// # Numerics
    /// The published form, 1 − (1 − z)^(R) ₂F₁(R, b + n; a + b + n − 1; z) over a − 1, is 0 / 0 at
    /// a = 1, overflows for large x and converges slowly for long horizons. The average over p has
    /// none of these.
    fn undiscounted_if_alive(&self, posterior: &Posterior, w: f64) -> f64 {
        let shape = posterior.shape;
        let average = BetaAverage::new(self.a, posterior.b, 1.0 / (1.0 + (shape + 1.0) * w));
        average.of(|p| {
            if p > f64::MIN_POSITIVE {
                -(-shape * (p * w).ln_1p()).exp_m1() / p
            } else {
                shape * w
            }
        })
    }

    /// E[discounted purchases | alive] = R ∫ f(w) e^(−κ w) dw, f(w) = E over p of (1 + p w)^(−R −
    /// 1), κ = A ln(1 + rate).
    ///
    /// # Numerics
    /// The integrand falls over many orders of magnitude of w, so it is integrated over y = ln(1 +
    /// w / w₀), w₀ being the shortest time in which it changes.
    fn discounted_if_alive(&self, posterior: &Posterior, w_end: f64, kappa: f64) -> f64 {
        let shape = posterior.shape;
        let w_end = w_end.min(DISCOUNTED_AWAY / kappa);
        let average = BetaAverage::new(self.a, posterior.b, 1.0 / (1.0 + (shape + 1.0) * w_end));
        let w_0 = 1.0 / (1.0 + kappa + (shape + 1.0) * average.upper_end());
        let integrand = |y: f64| {
            let w = w_0 * y.exp_m1();
            let survival = average.of(|p| {
                // Not ln_1p: its last digits are not needed and it takes twice the time.
                let growth = 1.0 + p * w;
                (-(shape + 1.0) * growth.ln()).exp()
            });
            survival * (y - kappa * w).exp()
        };
        let y_end = (w_end / w_0).ln_1p();
        shape * w_0 * integrate(integrand, 0.0, y_end, LONGEST_PANEL)
    }

    /// All purchases ever made by a customer who is alive: E[1 / p], infinite for a ≤ 1.
    fn purchases_without_end(&self, posterior: &Posterior) -> f64 {
        if self.a > 1.0 {
            (self.a + posterior.b - 1.0) / (self.a - 1.0)
        } else {
            f64::INFINITY
        }
    }
}

impl PurchaseModel for BetaGeometric {
    /// # Formula
    /// ln [a / (b + n − 1) · ((α + T) / (α + `t_x`))^(r + x)] for n > 0
    fn ln_odds_of_having_left(&self, history: &History) -> f64 {
        let n = history.x + self.chances_when_new;
        if n <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let silence = (history.age - history.t_x) / (self.alpha + history.t_x);
        (self.a / (self.b + n - 1.0)).ln() + (self.r + history.x) * silence.ln_1p()
    }

    fn p_alive_after(&self, history: &History, ln_silence: f64) -> f64 {
        let n = history.x + self.chances_when_new;
        if n <= 0.0 {
            return 1.0;
        }
        let left = self.b + n - 1.0;
        left / (left + self.a * ((self.r + history.x) * ln_silence).exp())
    }

    fn purchases_if_alive(&self, x: f64, age: f64, horizon: Option<f64>, rate: f64) -> f64 {
        let posterior = self.posterior(x, age);
        let kappa = posterior.rate * rate.ln_1p();
        match horizon.map(|horizon| horizon / posterior.rate) {
            None if kappa <= 0.0 => self.purchases_without_end(&posterior),
            None => self.discounted_if_alive(&posterior, f64::INFINITY, kappa),
            Some(w) if kappa <= 0.0 => self.undiscounted_if_alive(&posterior, w),
            Some(w) => self.discounted_if_alive(&posterior, w, kappa),
        }
    }

    /// Those of a customer who does not leave.
    fn most_purchases_if_alive(&self, x: f64, age: f64, horizon: f64) -> f64 {
        let posterior = self.posterior(x, age);
        posterior.shape / posterior.rate * horizon
    }

    fn time_scale(&self) -> f64 {
        self.alpha
    }

    /// Still there after n purchases, or left at the last of them.
    ///
    /// # Formula
    /// B(a, b + n) / B(a, b) · P(N = n) + B(a + 1, b + n − 1) / B(a, b) · P(N ≥ n), N the purchases
    /// of a customer who cannot leave: equation 8 with b = b + chances so far
    fn count_if_alive(&self, x: f64, age: f64, horizon: f64, n: f64) -> f64 {
        let Posterior { shape, rate, b } = self.posterior(x, age);
        let w = horizon / rate;
        let exactly = poisson_gamma::ln_probability(shape, w, n);
        if n <= 0.0 {
            return exactly.exp();
        }
        let ln_staying = ln_beta_ratio(b, self.a, n);
        let leaving_at_last = (ln_staying + (self.a / (b + n - 1.0)).ln()).exp();
        let at_least = IncompleteBeta::new(n, shape).at(w).0;
        (exactly + ln_staying).exp() + leaving_at_last * at_least
    }

    fn first_counts_if_alive(&self, x: f64, age: f64, horizon: f64, most: usize) -> Vec<f64> {
        let Posterior { shape, rate, b } = self.posterior(x, age);
        let mut counts = vec![0.0; most + 1];
        FirstProbabilities::new(shape, most).add(horizon / rate, 1.0, &mut counts);
        let (mut staying, mut at_least) = (1.0, 1.0);
        let mut before = 0.0;
        let count = |(n, exactly): (usize, f64)| {
            at_least -= before;
            before = exactly;
            if n == 0 {
                return exactly;
            }
            let chance = 1.0 / (self.a + b + (n - 1) as f64);
            let leaving_at_last = staying * (self.a * chance);
            staying *= (b + (n - 1) as f64) * chance;
            staying * exactly + leaving_at_last * f64::max(at_least, 0.0)
        };
        counts.into_iter().enumerate().map(count).skip(1).collect()
    }

    fn next_purchase_quantile(&self, history: &History, q: f64) -> Option<f64> {
        let posterior = self.posterior(history.x, history.age);
        let share = q / self.p_alive(history);
        (share < 1.0).then(|| posterior.rate * (-(-share).ln_1p() / posterior.shape).exp_m1())
    }

    /// # Formula
    /// ln [Γ(r + x) / Γ(r) · α^r / (α + T)^(r + x) · B(a, b + n) / B(a, b) · (1 + odds of having
    /// left)]
    fn log_likelihood(&self, history: &History) -> f64 {
        let Self { r, alpha, a, b, .. } = *self;
        let (x, age, n) = (history.x, history.age, history.x + self.chances_when_new);
        let purchases = ln_rising(r, x) - r * (age / alpha).ln_1p() - x * (alpha + age).ln();
        purchases + ln_beta_ratio(b, a, n) + softplus(self.ln_odds_of_having_left(history))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::super::bg_nbd;
    use super::*;

    pub(super) fn close(one: f64, other: f64, tolerance: f64) -> bool {
        (one - other).abs() <= tolerance * one.abs().max(other.abs()) + f64::MIN_POSITIVE
    }

    pub(super) fn any_model() -> impl Strategy<Value = BetaGeometric> {
        let parameter = || (-4.0..4.0_f64).prop_map(f64::exp);
        let parameters = [
            parameter().boxed(),
            (0.0..6.0_f64).prop_map(f64::exp).boxed(),
        ];
        let [shape, alpha] = parameters;
        (shape, alpha, parameter(), parameter(), prop::bool::ANY).prop_map(
            |(r, alpha, a, b, mbg)| {
                BetaGeometric::new([r, alpha, a, b], if mbg { 1.0 } else { 0.0 })
            },
        )
    }

    pub(super) fn any_history() -> impl Strategy<Value = History> {
        (0_u32..200, 0.0..1.0_f64, 0.0..2_000.0_f64).prop_map(|(x, share, age)| {
            let t_x = if x > 0 { share * age } else { 0.0 };
            History::try_new(f64::from(x), t_x, age).unwrap()
        })
    }

    proptest! {
        #[test]
        fn p_alive_is_a_probability(model in any_model(), history in any_history()) {
            prop_assert!((0.0..=1.0).contains(&model.p_alive(&history)));
        }

        #[test]
        fn purchases_grow_with_the_horizon_and_shrink_with_the_discount(
            model in any_model(), history in any_history(), horizon in 0.0..5_000.0_f64,
        ) {
            let near = model.expected_purchases(&history, horizon);
            let far = model.expected_purchases(&history, 1.5 * horizon + 1.0);
            prop_assert!(near.is_finite() && near >= 0.0 && near <= far * (1.0 + 1e-10));
            let undiscounted = model.discounted_purchases(&history, Some(horizon), 1e-15);
            prop_assert!(close(undiscounted, near, 1e-9), "{undiscounted} {near}");
            let discounted = model.discounted_purchases(&history, Some(horizon), 1e-3);
            prop_assert!(discounted <= near * (1.0 + 1e-9));
            let without_end = model.discounted_purchases(&history, None, 1e-3);
            prop_assert!(without_end.is_finite() && discounted <= without_end * (1.0 + 1e-9));
        }

        #[test]
        fn unit_of_time_does_not_matter(
            model in any_model(), history in any_history(), unit in 0.01..100.0_f64,
        ) {
            let BetaGeometric { r, alpha, a, b, chances_when_new } = model;
            let other = BetaGeometric::new([r, alpha * unit, a, b], chances_when_new);
            let History { x, t_x, age } = history;
            let scaled = History { x, t_x: t_x * unit, age: age * unit };
            prop_assert!(close(model.p_alive(&history), other.p_alive(&scaled), 1e-9));
            let purchases = model.expected_purchases(&history, 100.0);
            let in_other_unit = other.expected_purchases(&scaled, 100.0 * unit);
            prop_assert!(close(purchases, in_other_unit, 1e-9));
            let likelihood = model.log_likelihood(&history);
            let in_other_unit = other.log_likelihood(&scaled) + x * unit.ln();
            prop_assert!((likelihood - in_other_unit).abs() < 1e-9 * likelihood.abs().max(1.0));
        }
    }

    #[test]
    fn ends_of_the_range_neither_overflow_nor_vanish() {
        let model = bg_nbd::try_new(&[0.243, 4.414, 0.793, 2.426]).unwrap();
        for (x, t_x, age) in [
            (1e5, 1e6, 1e6),
            (1e5, 1.0, 1e6),
            (0.0, 0.0, 1e6),
            (1.0, 0.0, 0.0),
        ] {
            let history = History::try_new(x, t_x, age).unwrap();
            for horizon in [1e-6, 1.0, 1e6] {
                let purchases = model.expected_purchases(&history, horizon);
                let discounted = model.discounted_purchases(&history, Some(horizon), 1e-4);
                assert!(purchases.is_finite() && discounted.is_finite() && purchases >= discounted);
            }
            assert!(model.log_likelihood(&history).is_finite());
        }
    }

    #[test]
    fn purchases_without_end_or_discount_are_finite_only_for_a_above_one() {
        let endless = |a| {
            let model = bg_nbd::try_new(&[0.5, 10.0, a, 2.0]).unwrap();
            (
                model.discounted_purchases(&History::NEW, None, 0.0),
                model.expected_purchases_new(1e15),
            )
        };
        assert!(endless(1.0).0.is_infinite());
        let (limit, nearly) = endless(3.0);
        assert!(
            close(limit, 2.0, 1e-15) && close(nearly, 2.0, 1e-6),
            "{limit} {nearly}"
        );
    }
}
