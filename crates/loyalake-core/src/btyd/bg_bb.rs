//! BG/BB: repeat purchases at equally spaced opportunities, of customers who may silently leave
//! before each of them.
//!
//! Source: Fader, Hardie, Shang (2010), Customer-base analysis in a discrete-time noncontractual
//! setting, Marketing Science 29(6), equations 7 (probability of n purchases), 8 (a new customer's
//! expected purchases), 11 (alive) and 13 (expected purchases).
//!
//! Assumptions: at each opportunity a customer first leaves for good with probability θ ~ Beta(γ,
//! δ); who is still there buys at most once, with probability p ~ Beta(α, β). p and θ are constant
//! for a customer and independent of each other.
//!
//! When to use it: purchases can only happen at given occasions (an annual appeal, a season, an
//! event), or a transaction is one that is made at most once in a period. All opportunities count,
//! those before the last purchase and those since.
//!
//! Not here: several purchases at one opportunity, opportunities that only some customers have,
//! seasons. For purchases at any time see [`super::bg_nbd`].
//!
//! Notation: n opportunities since the first purchase, x of them taken, the last one at `t_x`.
//! Given that the customer is alive at n, p ~ Beta(α + x, β + n − x) and θ ~ Beta(γ, δ + n).

mod fit;

pub use fit::fit;

use super::beta_trials::{discounted_steps, ln_probability};
use super::history::is_whole;
use super::{History, Model, PurchaseModel};
use crate::Result;
use crate::special::{ln_beta_ratio, logistic, softplus};

/// Name and parameters.
pub const MODEL: Model = Model {
    name: "bg_bb",
    parameters: &["alpha", "beta", "gamma", "delta"],
    purchases: Some(|values| Ok(Box::new(BgBb::try_new(values)?))),
};

/// Most opportunities in a history or a horizon: a sum over so many takes a hundredth of a second.
pub const MOST_OPPORTUNITIES: f64 = 1e6;
/// Sums over opportunities are scaled down when they grow beyond.
const LARGE: f64 = 1e100;

/// The formulas with known parameters, all finite and above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BgBb {
    /// α and β.
    buying: [f64; 2],
    /// γ and δ.
    leaving: [f64; 2],
}

impl BgBb {
    /// The formulas for parameters α, β, γ, δ.
    ///
    /// # Errors
    /// When a parameter is not finite or not above 0.
    ///
    /// # Example
    /// ```
    /// use loyalake_core::btyd::{History, PurchaseModel, bg_bb::BgBb};
    ///
    /// let model = BgBb::try_new(&[1.204, 0.750, 0.657, 2.783])?;
    /// let donor = History::try_new(4.0, 5.0, 6.0).unwrap();
    /// assert!((model.expected_purchases(&donor, 10.0) - 3.628).abs() < 1e-3);
    /// # Ok::<(), loyalake_core::Error>(())
    /// ```
    pub fn try_new(values: &[f64]) -> Result<Self> {
        Ok(Self::new(MODEL.parameters(values)?))
    }

    fn new([alpha, beta, gamma, delta]: [f64; 4]) -> Self {
        Self {
            buying: [alpha, beta],
            leaving: [gamma, delta],
        }
    }

    /// What is known of a customer with x purchases who is alive at opportunity k.
    fn alive(&self, x: f64, k: f64) -> Alive {
        let ([alpha, beta], [gamma, delta]) = (self.buying, self.leaving);
        Alive {
            buying: [alpha + x, beta + (k - x)],
            leaving: [gamma, delta + k],
        }
    }

    /// ln of the probabilities of no purchase since the last one, the customer being alive now and
    /// having left.
    fn ln_silence(&self, history: &History) -> [f64; 2] {
        let silence = history.age - history.t_x;
        let last_seen = self.alive(history.x, history.t_x);
        [
            last_seen.ln_stays(silence, 0.0),
            last_seen.ln_leaves(silence, 0.0),
        ]
    }
}

/// A customer who is alive for certain: p ~ Beta(a, b), θ ~ Beta(γ, d).
#[derive(Debug, Clone, Copy)]
struct Alive {
    buying: [f64; 2],
    leaving: [f64; 2],
}

impl Alive {
    /// ln of the probability to stay for m opportunities and to take k ≤ m of them.
    fn ln_stays(&self, m: f64, k: f64) -> f64 {
        let ln_orders = -ln_beta_ratio(1.0, m - k, k);
        ln_orders + ln_probability(self.buying, k, m - k) + ln_probability(self.leaving, 0.0, m)
    }

    /// ln of the probability to leave within m opportunities after taking k.
    ///
    /// # Formula
    /// ln Σ over k ≤ i < m of C(i, k) B(a + k, b + i − k) / B(a, b) · B(γ + 1, d + i) / B(γ, d)
    fn ln_leaves(&self, m: f64, k: f64) -> f64 {
        if k >= m {
            return f64::NEG_INFINITY;
        }
        let mut ln_scale =
            ln_probability(self.buying, k, 0.0) + ln_probability(self.leaving, 1.0, k);
        let (mut i, mut term, mut sum) = (k, 1.0, 1.0);
        loop {
            let ratio = self.ratio(i, k);
            term *= ratio;
            i += 1.0;
            if i >= m || (ratio < 1.0 && is_negligible(term, m - i, sum)) {
                return ln_scale + f64::ln(sum);
            }
            sum += term;
            if sum > LARGE {
                (term, sum) = (term / LARGE, sum / LARGE);
                ln_scale += LARGE.ln();
            }
        }
    }

    /// Term i + 1 of that sum over term i: once below 1, it stays there.
    fn ratio(&self, i: f64, k: f64) -> f64 {
        let ([a, b], [gamma, d]) = (self.buying, self.leaving);
        let more = (i + 1.0) * (b + (i - k)) * (d + i);
        more / ((i + 1.0 - k) * (a + b + i) * (gamma + d + i + 1.0))
    }
}

/// Whether the history is one of whole opportunities, at most [`MOST_OPPORTUNITIES`], each taken at
/// most once.
pub fn accepts(history: &History) -> bool {
    let History { x, t_x, age } = *history;
    // Without a purchase there is no last one: x = 0 only with t_x = 0, which is checked before.
    is_whole(t_x) && x <= t_x && is_number_of_opportunities(age)
}

fn is_number_of_opportunities(time: f64) -> bool {
    is_whole(time) && (0.0..=MOST_OPPORTUNITIES).contains(&time)
}

/// Whether so many falling terms add nothing to a sum.
fn is_negligible(term: f64, terms: f64, sum: f64) -> bool {
    term * terms <= f64::EPSILON * sum
}

impl PurchaseModel for BgBb {
    /// At or before opportunity n.
    fn ln_odds_of_having_left(&self, history: &History) -> f64 {
        let [alive, left] = self.ln_silence(history);
        left - alive
    }

    /// At the next opportunity, n + 1: who leaves before it is not counted.
    fn p_alive(&self, history: &History) -> f64 {
        let [gamma, d] = self.alive(history.x, history.age).leaving;
        logistic(-self.ln_odds_of_having_left(history)) * d / (gamma + d)
    }

    /// # Numerics
    /// Staying until the next opportunity is taken out of the average over θ, which then is of
    /// customers alive at n + 1: no digits of a small 1 − θ get lost.
    fn purchases_if_alive(&self, x: f64, n: f64, horizon: Option<f64>, rate: f64) -> f64 {
        let [a, b] = self.alive(x, n).buying;
        let next = self.alive(x, n + 1.0);
        a / (a + b) * discounted_steps(next.leaving, horizon, rate) / (1.0 + rate)
    }

    fn time_scale(&self) -> f64 {
        self.leaving[1]
    }

    /// Of the purchases in their order, whatever it is: x and `t_x` tell nothing else.
    fn log_likelihood(&self, history: &History) -> f64 {
        let History { x, t_x, .. } = *history;
        let seen = ln_probability(self.buying, x, t_x - x) + ln_probability(self.leaving, 0.0, t_x);
        let [alive, left] = self.ln_silence(history);
        seen + alive.max(left) + softplus(-(alive - left).abs())
    }

    fn accepts(&self, history: &History) -> bool {
        accepts(history)
    }

    fn accepts_horizon(&self, horizon: f64) -> bool {
        is_number_of_opportunities(horizon)
    }

    /// Equation 7 for a new customer.
    fn count_if_alive(&self, x: f64, age: f64, horizon: f64, n: f64) -> f64 {
        if n > horizon {
            return 0.0;
        }
        let now = self.alive(x, age);
        now.ln_stays(horizon, n).exp() + now.ln_leaves(horizon, n).exp()
    }

    /// `None` when it is beyond [`MOST_OPPORTUNITIES`], too.
    fn next_purchase_quantile(&self, history: &History, q: f64) -> Option<f64> {
        let now = self.alive(history.x, history.age);
        let ([a, b], [gamma, d]) = (now.buying, now.leaving);
        let alive = logistic(-self.ln_odds_of_having_left(history));
        // The shares that have bought, and that are alive and have not.
        let (mut bought, mut waiting) = (0.0, alive);
        let mut j = 0.0;
        while bought < q {
            if bought + waiting < q || j >= MOST_OPPORTUNITIES {
                return None;
            }
            let stays = waiting * (d + j) / (gamma + d + j);
            bought += stays * a / (a + b + j);
            waiting = stays * (b + j) / (a + b + j);
            j += 1.0;
        }
        Some(j)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn close(one: f64, other: f64, tolerance: f64) -> bool {
        (one - other).abs() <= tolerance * one.abs().max(other.abs()) + f64::MIN_POSITIVE
    }

    pub(super) fn any_parameters() -> impl Strategy<Value = [f64; 4]> {
        prop::array::uniform4((-4.0..4.0_f64).prop_map(f64::exp))
    }

    /// (x, `t_x`, n)
    pub(super) fn any_row() -> impl Strategy<Value = [f64; 3]> {
        (0_u32..60, 0.0..1.0_f64, 0.0..1.0_f64).prop_map(|(n, last, share)| {
            let t_x = (last * f64::from(n + 1)).floor();
            let x = if t_x > 0.0 {
                1.0 + (share * t_x).floor()
            } else {
                0.0
            };
            [x, t_x, f64::from(n)]
        })
    }

    pub(super) fn known([x, t_x, n]: [f64; 3]) -> History {
        History::try_new(x, t_x, n).unwrap()
    }

    proptest! {
        #[test]
        fn purchases_grow_with_the_horizon_and_shrink_with_the_discount(
            parameters in any_parameters(), row in any_row(), horizon in 0_u32..3_000,
        ) {
            let (model, history) = (BgBb::new(parameters), known(row));
            let horizon = f64::from(horizon);
            prop_assert!(model.accepts(&history) && model.accepts_horizon(horizon));
            prop_assert!((0.0..=1.0).contains(&model.p_alive(&history)));
            let near = model.expected_purchases(&history, horizon);
            let far = model.expected_purchases(&history, 2.0 * horizon + 1.0);
            prop_assert!(near >= 0.0 && near <= far * (1.0 + 1e-10) && far.is_finite());
            let discounted = model.discounted_purchases(&history, Some(horizon), 1e-3);
            prop_assert!(discounted <= near);
            let without_end = model.discounted_purchases(&history, None, 1e-3);
            prop_assert!(without_end.is_finite() && discounted <= without_end * (1.0 + 1e-9));
        }

        #[test]
        fn probabilities_add_up_to_one_and_their_mean_is_the_expectation(
            parameters in any_parameters(), row in any_row(), horizon in 0_u32..40,
        ) {
            let (model, history) = (BgBb::new(parameters), known(row));
            let time = f64::from(horizon);
            let probability = |n: u32| model.purchase_probability(&history, time, f64::from(n));
            let sum: f64 = (0..=horizon).map(probability).sum();
            prop_assert!(close(sum, 1.0, 1e-12), "{sum}");
            let mean: f64 = (0..=horizon).map(|n| f64::from(n) * probability(n)).sum();
            prop_assert!(close(mean, model.expected_purchases(&history, time), 1e-10), "{mean}");
            prop_assert!(probability(horizon + 1).abs() < f64::MIN_POSITIVE);
        }

        #[test]
        fn likelihoods_of_what_can_come_next_add_up(
            parameters in any_parameters(), row in any_row(),
        ) {
            let model = BgBb::new(parameters);
            let [x, t_x, n] = row;
            let likelihood = |row| model.log_likelihood(&known(row)).exp();
            let next = likelihood([x, t_x, n + 1.0]) + likelihood([x + 1.0, n + 1.0, n + 1.0]);
            prop_assert!(close(next, likelihood(row), 1e-12));
        }

        #[test]
        fn next_purchase_quantile_is_the_first_horizon_that_is_long_enough(
            parameters in any_parameters(), row in any_row(), q in 0.01..0.99_f64,
        ) {
            let (model, history) = (BgBb::new(parameters), known(row));
            let buys_within = |time| 1.0 - model.purchase_probability(&history, time, 0.0);
            match model.next_purchase_quantile(&history, q) {
                Some(time) => {
                    prop_assert!(buys_within(time) >= q - 1e-9 && time >= 1.0);
                    prop_assert!(buys_within(time - 1.0) <= q + 1e-9);
                }
                None => prop_assert!(buys_within(MOST_OPPORTUNITIES) <= q + 1e-9),
            }
        }
    }

    #[test]
    fn a_million_opportunities_neither_overflow_nor_vanish() {
        let model = BgBb::new([1.204, 0.750, 0.657, 2.783]);
        for (x, t_x) in [
            (0.0, 0.0),
            (1.0, 1.0),
            (1e5, 1e5),
            (1e5, 999_990.0),
            (1e6, 1e6),
        ] {
            let history = known([x, t_x, 1e6]);
            let values = [
                model.log_likelihood(&history),
                model.expected_purchases(&history, 1e6),
                model.discounted_purchases(&history, None, 1e-6),
                model.purchase_probability(&history, 1e6, 1e5),
            ];
            assert!(
                values.iter().all(|value| value.is_finite()),
                "{x}, {t_x}: {values:?}"
            );
        }
        let always = model.p_alive(&known([1e6, 1e6, 1e6]));
        assert!(close(always, 1.0 - 0.657 / 1_000_003.44, 1e-12), "{always}");
    }

    #[test]
    fn purchases_without_end_or_discount_are_finite_only_for_gamma_above_one() {
        let endless = |gamma| {
            let model = BgBb::new([1.0, 2.0, gamma, 2.0]);
            model.discounted_purchases(&History::NEW, None, 0.0)
        };
        assert!(endless(1.0).is_infinite());
        // E[p] = 1/3, E[(1 − θ) / θ] = 2 / (3 − 1).
        assert!(close(endless(3.0), 1.0 / 3.0, 1e-15));
    }

    #[test]
    fn only_whole_opportunities_are_accepted() {
        let model = BgBb::new([1.0; 4]);
        for row in [
            [3.0, 2.0, 6.0],
            [1.0, 1.5, 6.0],
            [1.0, 2.0, 6.5],
            [0.0, 0.0, 1e6 + 1.0],
        ] {
            assert!(!model.accepts(&known(row)), "{row:?}");
        }
        assert!(model.accepts(&known([6.0, 6.0, 6.0])) && model.accepts(&History::NEW));
        for time in [0.5, -1.0, f64::NAN, f64::INFINITY] {
            assert!(!model.accepts_horizon(time), "{time}");
        }
    }
}
