//! Quantiles of what a customer will spend within a horizon.
//!
//! Source: the counts of a model of purchases with the spending of Gamma-Gamma (Fader, Hardie 2013,
//! equation 5 and its derivation): given n further purchases, their total S is a gamma variable
//! with shape p n and the customer's own rate ν ~ Gamma(Q, V), so that S / V is beta prime (p n,
//! Q).
//!
//! # Formula
//! P(S ≤ s) = P(N = 0) + Σ P(N = n) I(p n, Q; z), z = s / (s + V), Q = q + p x, V = v + m x

use std::cell::LazyCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::gamma_gamma::GammaGamma;
use super::{History, PurchaseModel, Spend};
use crate::normal::normal_quantile;
use crate::special::{BetaMixture, Distribution, logistic};

/// Counts less probable than this, beyond the mean, are left out.
const LEFT_OUT: f64 = 1e-8;
/// How many counts are tried, one after the other: few are all that most customers reach.
const FIRST: [usize; 3] = [24, 72, SINGLE];
/// Counts that are looked at one by one.
const SINGLE: usize = 256;
/// Most counts that are looked at: up to ten million purchases.
const MOST_NODES: usize = 3_000;
/// Most steps of the search, which needs about two.
const MOST_STEPS: usize = 200;
/// Counts that differ by less than this part of their square root, and by fewer standard
/// deviations, are taken together.
const BIN: f64 = 0.4;
const BIN_DEVIATIONS: f64 = 0.15;
/// Error of the distribution of a total, to the smaller tail.
const TOLERANCE: f64 = 1e-11;
/// Steps in ln s below which curvature matters little, and with its correction leave an error of
/// about the fourth power.
const SHORT_STEP: f64 = 0.3;
const LAST_STEP: f64 = 1e-3;
/// The search starts within so many standard deviations of the median: further out, where nearly
/// nothing is, it would start from rounding errors.
const FAR: f64 = 2.0;
/// Where a tail is rounding errors, steps may point anywhere.
const LONGEST_STEP: f64 = 30.0;

/// Futures that a scorer keeps, the first ones, which most customers have; about 1 KiB each.
const MOST_FUTURES: usize = 1 << 14;

/// The value in the horizon that is not exceeded with probability q, 0 ≤ q < 1; `spend` is `None`
/// for a customer without a repeat purchase. 0 when there is no purchase with probability q.
///
/// # Numerics
/// Above 256 purchases only numbers that differ by 1 / 256 are looked at, and numbers that differ
/// by less than 0.4 √n (or 0.15 standard deviations) are replaced by their mean: counts
/// vary by √n at least. The equation is solved by Newton's method for ln s in the logarithm of the
/// smaller tail, which is nearly concave. Results differ from the exact ones by less than 1e-3.
pub fn value_quantile(
    model: &dyn PurchaseModel,
    spending: &GammaGamma,
    history: &History,
    spend: Option<&Spend>,
    horizon: f64,
    q: f64,
) -> f64 {
    let customer = Customer {
        model,
        history,
        posterior: spending.posterior(spend),
        horizon,
    };
    customer.quantile(&mut Future::new(&customer), q)
}

/// [`value_quantile`] of many customers, for one horizon: those with the same number of repeat
/// purchases and age have the same future while they are customers, which is computed once.
#[derive(Debug)]
pub struct ValueScorer {
    model: Arc<dyn PurchaseModel>,
    spending: GammaGamma,
    horizon: f64,
    /// By the bits of repeat purchases, age and shape of spending.
    futures: HashMap<[u64; 3], Future>,
}

impl ValueScorer {
    /// For values in (age, age + horizon].
    pub fn new(model: Arc<dyn PurchaseModel>, spending: GammaGamma, horizon: f64) -> Self {
        Self {
            model,
            spending,
            horizon,
            futures: HashMap::new(),
        }
    }

    /// Whether it is for this model, spending and horizon.
    pub fn is_for(
        &self,
        model: &Arc<dyn PurchaseModel>,
        spending: &GammaGamma,
        horizon: f64,
    ) -> bool {
        Arc::ptr_eq(&self.model, model)
            && self.spending == *spending
            && self.horizon.total_cmp(&horizon).is_eq()
    }

    /// [`value_quantile`]
    pub fn quantile(&mut self, history: &History, spend: Option<&Spend>, q: f64) -> f64 {
        let customer = Customer {
            model: self.model.as_ref(),
            history,
            posterior: self.spending.posterior(spend),
            horizon: self.horizon,
        };
        let key = [history.x, history.age, customer.posterior.1].map(f64::to_bits);
        let has_space = self.futures.len() < MOST_FUTURES;
        match self.futures.entry(key) {
            Entry::Occupied(known) => customer.quantile(known.into_mut(), q),
            Entry::Vacant(place) if has_space => {
                customer.quantile(place.insert(Future::new(&customer)), q)
            }
            Entry::Vacant(_) => customer.quantile(&mut Future::new(&customer), q),
        }
    }
}

struct Customer<'a> {
    model: &'a dyn PurchaseModel,
    history: &'a History,
    /// p, and shape Q and scale V of the customer's own rate of values.
    posterior: (f64, f64, f64),
    horizon: f64,
}

impl Customer<'_> {
    fn quantile(&self, future: &mut Future, q: f64) -> f64 {
        let ln_odds = self.model.ln_odds_of_having_left(self.history);
        let none = logistic(ln_odds) + logistic(-ln_odds) * future.none;
        if q <= none {
            return 0.0;
        }
        // The share of customers with a purchase who spend no more.
        let share = (q - none) / (1.0 - none);
        let totals = future.totals.get_or_insert_with(|| self.totals());
        self.posterior.2 * totals.quantile(share).exp()
    }

    fn totals(&self) -> Totals {
        let counts = binned(&counts(self.model, self.span()));
        let (p, shape, _) = self.posterior;
        let parts: Vec<(f64, f64)> = counts.iter().map(|(n, share)| (*share, p * n)).collect();
        Totals::new(&parts, shape)
    }

    /// x, age and horizon.
    fn span(&self) -> [f64; 3] {
        [self.history.x, self.history.age, self.horizon]
    }
}

/// What a customer who is alive will do.
#[derive(Debug)]
struct Future {
    /// The probability of no purchase.
    none: f64,
    /// How much is spent with a purchase, computed when it is asked for.
    totals: Option<Totals>,
}

impl Future {
    fn new(customer: &Customer) -> Self {
        let [x, age, horizon] = customer.span();
        Self {
            none: customer.model.count_if_alive(x, age, horizon, 0.0),
            totals: None,
        }
    }
}

/// Numbers of purchases from 1 on, and how probable each (with its neighbours) is for a customer
/// who is alive.
fn counts(model: &dyn PurchaseModel, [x, age, horizon]: [f64; 3]) -> Vec<(f64, f64)> {
    let most = model.most_purchases_if_alive(x, age, horizon);
    let mean = LazyCell::new(|| model.purchases_if_alive(x, age, Some(horizon), 0.0));
    let is_beyond = |n: f64, means: f64| n > means * most || n > means * *mean;
    let is_last = |n: f64, probability: f64| probability < LEFT_OUT && is_beyond(n, 1.0);
    let mut counts: Vec<(f64, f64)> = Vec::new();
    let mut is_all = false;
    for most in FIRST {
        if !is_all && (most == SINGLE || is_beyond(most as f64, 2.0)) {
            let first = model.first_counts_if_alive(x, age, horizon, most);
            counts = (1..).map(f64::from).zip(first).collect();
            is_all = counts.last().is_some_and(|(n, last)| is_last(*n, *last));
        }
    }
    if !is_all {
        let probability = |n| model.count_if_alive(x, age, horizon, n);
        add_far_counts(&mut counts, is_last, probability);
    }
    counts
}

/// Counts close to each other, for their size and for the spread of all, as one: with their mean
/// and all their weight.
fn binned(counts: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (mut total, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for (n, weight) in counts {
        total += weight;
        sum += n * weight;
        squares += n * n * weight;
    }
    let mean = sum / total;
    let deviation = f64::max(squares / total - mean * mean, 0.0).sqrt();
    let mut bins: Vec<(f64, f64)> = Vec::with_capacity(counts.len());
    let mut end = 0.0;
    for (n, weight) in counts
        .iter()
        .filter(|(_, weight)| *weight > LEFT_OUT * total)
    {
        match bins.last_mut() {
            Some(bin) if *n < end => {
                bin.0 += n * weight;
                bin.1 += weight;
            }
            _ => {
                bins.push((n * weight, *weight));
                end = n + f64::min(BIN * n.sqrt(), BIN_DEVIATIONS * deviation);
            }
        }
    }
    let mean = |(sum, weight): (f64, f64)| (sum / weight, weight / total);
    bins.into_iter().map(mean).collect()
}

/// Adds counts beyond those that are looked at one by one.
fn add_far_counts(
    counts: &mut Vec<(f64, f64)>,
    is_last: impl Fn(f64, f64) -> bool,
    probability: impl Fn(f64) -> f64,
) {
    let step_from = |n: f64| (n / SINGLE as f64).floor();
    let mut n = SINGLE as f64;
    while counts.len() < MOST_NODES {
        let step = step_from(n);
        n += step;
        let at = probability(n);
        // It stands for itself and the counts up to half way to its neighbours.
        counts.push((n, at * 0.5 * (step + step_from(n))));
        if is_last(n, at) {
            break;
        }
    }
}

/// ln odds of a mixture of beta variables.
#[derive(Debug)]
struct Totals {
    mixture: BetaMixture,
    /// As if normal, around the ln odds of the mean a.
    median: f64,
    deviation: f64,
}

impl Totals {
    /// For pairs of weight and a.
    fn new(parts: &[(f64, f64)], b: f64) -> Self {
        let (mut mean, mut squares) = (0.0, 0.0);
        for (weight, a) in parts {
            mean += weight * a;
            squares += weight * a * a;
        }
        let varying = (squares / (mean * mean) + 1.0 / mean).ln();
        Self {
            mixture: BetaMixture::new(parts, b),
            median: (mean / b).ln() - 0.5 * varying,
            deviation: (varying + (1.0 / b).ln_1p()).sqrt(),
        }
    }

    /// Where the distribution reaches the share.
    fn quantile(&self, share: f64) -> f64 {
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let tail = share.min(1.0 - share);
        let mut y = self.median + self.deviation * normal_quantile(share).clamp(-FAR, FAR);
        for _ in 0..MOST_STEPS {
            let at = self.mixture.at(y.exp(), TOLERANCE * tail);
            if at.share < share {
                low = y;
            } else {
                high = y;
            }
            let step = step(&at, share);
            if step.abs() < LAST_STEP {
                return y + step;
            }
            let next = y + step.clamp(-LONGEST_STEP, LONGEST_STEP);
            y = if next > low && next < high {
                next
            } else {
                bisect(low, high, y)
            };
        }
        y
    }
}

/// From a point to about where the distribution reaches the share.
///
/// # Formula
/// Newton's step n for f = ln(tail / its share) and, where it is short, the inverse of f's series:
/// n − c₂ n² + (2 c₂² − c₃) n³, c₂ = f″ / (2 f′), c₃ = f‴ / (6 f′)
fn step(at: &Distribution, share: f64) -> f64 {
    let (tail, sign, target) = if share < 0.5 {
        (at.share, 1.0, share)
    } else {
        (1.0 - at.share, -1.0, 1.0 - share)
    };
    let [first, second, third] = at.density.map(|density| sign * density / tail);
    let newton = (target / tail).ln() / first;
    if newton.abs() > SHORT_STEP {
        return newton;
    }
    let bend = 0.5 * (second / first - first);
    let twist = (third / first - 3.0 * second + 2.0 * first * first) / 6.0;
    newton * (1.0 - newton * (bend - newton * (2.0 * bend * bend - twist)))
}

/// A point between the ends; far beyond `y` where there is none.
fn bisect(low: f64, high: f64, y: f64) -> f64 {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => 0.5 * (low + high),
        (true, false) => y + 1.0 + y.abs(),
        _ => y - 1.0 - y.abs(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::simulate::{Purchase, Shop, history};
    use super::super::{bg_nbd, model};
    use super::*;

    const DAYS: f64 = 730.0;
    const HORIZON: f64 = 365.0;

    /// A simulated customer: what the models predict, and what came.
    struct Outcome {
        predicted: f64,
        none: f64,
        low: f64,
        high: f64,
        value: f64,
    }

    impl Outcome {
        /// How much of the outcome lies between the 10 % and the 90 % quantile. No purchase at all
        /// stands for all shares of customers from 0 to its probability.
        fn covered(&self) -> f64 {
            if self.value > 0.0 {
                return if self.low < self.value && self.value <= self.high {
                    1.0
                } else {
                    0.0
                };
            }
            f64::max(self.none.min(0.9) - 0.1, 0.0) / self.none
        }
    }

    fn outcomes(shop: &Shop, customers: u64) -> Vec<Outcome> {
        let model = bg_nbd::try_new(&shop.purchases).unwrap();
        let spending = GammaGamma::try_new(&shop.spend).unwrap();
        let outcome = |customer| {
            let purchases = shop.customer(3, customer, DAYS + HORIZON);
            let (past, future): (Vec<Purchase>, Vec<Purchase>) = purchases
                .into_iter()
                .partition(|purchase| purchase.day < DAYS);
            let history = history(&past, DAYS)?;
            let repeats = past[1..].iter().map(|purchase| purchase.value);
            let spend = Spend::try_new(history.x, repeats.sum::<f64>() / history.x);
            let quantile =
                |q| value_quantile(&model, &spending, &history, spend.as_ref(), HORIZON, q);
            let per_purchase = spending.expected_spend(spend.as_ref()).unwrap();
            Some(Outcome {
                predicted: model.expected_purchases(&history, HORIZON) * per_purchase,
                none: model.purchase_probability(&history, HORIZON, 0.0),
                low: quantile(0.1),
                high: quantile(0.9),
                value: future.iter().map(|purchase| purchase.value).sum(),
            })
        };
        (0..customers).filter_map(outcome).collect()
    }

    fn coverage(outcomes: &[Outcome]) -> f64 {
        outcomes.iter().map(Outcome::covered).sum::<f64>() / outcomes.len() as f64
    }

    #[test]
    fn eighty_percent_intervals_hold_eighty_percent_overall_and_by_decile() {
        for purchases in [[0.8, 60.0, 0.8, 4.0], [3.0, 60.0, 0.5, 20.0]] {
            let shop = Shop {
                purchases,
                spend: [6.25, 3.74, 15.44],
            };
            let mut outcomes = outcomes(&shop, 40_000);
            outcomes.sort_by(|one, other| one.predicted.total_cmp(&other.predicted));
            let all = coverage(&outcomes);
            assert!((0.78..0.82).contains(&all), "{purchases:?}: {all}");
            for decile in outcomes.chunks(outcomes.len().div_ceil(10)) {
                let share = coverage(decile);
                assert!(
                    (0.78..0.82).contains(&share),
                    "{purchases:?}: {share} of a decile"
                );
            }
        }
    }

    #[test]
    fn quantiles_rise_with_the_probability_and_scale_with_the_value() {
        let history = History::try_new(3.0, 200.0, 300.0).unwrap();
        let parameters = [0.8, 60.0, 0.8, 4.0];
        for name in ["bg_nbd", "mbg_nbd", "pareto_nbd"] {
            let model = model(name).unwrap().purchases(&parameters).unwrap();
            let quantile = |v: f64, mean: f64, q| {
                let spending = GammaGamma::try_new(&[6.25, 3.74, v]).unwrap();
                let spend = Spend::try_new(3.0, mean);
                value_quantile(
                    model.as_ref(),
                    &spending,
                    &history,
                    spend.as_ref(),
                    365.0,
                    q,
                )
            };
            let mut before = 0.0;
            for q in (1..100).map(|percent| f64::from(percent) / 100.0) {
                let value = quantile(15.0, 20.0, q);
                assert!(value >= before && value.is_finite(), "{name}, {q}: {value}");
                let scaled = quantile(1_500.0, 2_000.0, q);
                assert!(
                    (scaled - 100.0 * value).abs() <= 1e-6 * scaled,
                    "{name}, {q}"
                );
                before = value;
            }
            assert!(before > 0.0, "{name}");
        }
    }

    /// Where nearly nobody is, the search has little to go by.
    #[test]
    fn quantiles_of_the_last_customers_rise() {
        let model = bg_nbd::try_new(&[0.45, 48.0, 0.85, 20.0]).unwrap();
        let spending = GammaGamma::try_new(&[19.0, 0.6, 4.6]).unwrap();
        let history = History::try_new(52.0, 259.0, 274.0).unwrap();
        let spend = Spend::try_new(52.0, 20.0);
        let mut before = 0.0;
        for beyond in [0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6] {
            let q = 1.0 - beyond;
            let value = value_quantile(&model, &spending, &history, spend.as_ref(), HORIZON, q);
            assert!(value > before && value < 5_000.0, "{q}: {value}");
            before = value;
        }
    }

    #[test]
    fn many_customers_have_the_values_of_single_ones() {
        let spending = GammaGamma::try_new(&[6.25, 3.74, 15.44]).unwrap();
        for name in ["bg_nbd", "mbg_nbd", "pareto_nbd"] {
            let model: Arc<dyn PurchaseModel> = {
                let parameters = [0.8, 60.0, 0.8, 4.0];
                model(name).unwrap().purchases(&parameters).unwrap().into()
            };
            let mut scorer = ValueScorer::new(Arc::clone(&model), spending, HORIZON);
            for customer in 0..60_u32 {
                let x = f64::from(customer % 3);
                let (t_x, mean) = (x * f64::from(customer), 1.0 + f64::from(customer));
                let history = History::try_new(x, t_x, 200.0).unwrap();
                let spend = Spend::try_new(x, mean);
                for q in [0.1, 0.5, 0.9] {
                    let found = scorer.quantile(&history, spend.as_ref(), q);
                    let spend = spend.as_ref();
                    let model = model.as_ref();
                    let single = value_quantile(model, &spending, &history, spend, HORIZON, q);
                    assert_eq!(
                        found.to_bits(),
                        single.to_bits(),
                        "{name}, {history:?}, {q}"
                    );
                }
            }
            assert_eq!(scorer.futures.len(), 3);
        }
    }
}
