//! One model and many customers: what they have in common is computed once.
//!
//! Source: Trefethen (2013), Approximation theory and approximation practice, chapters 3, 8 and 19.
//!
//! Given that a customer is alive, expected purchases depend on the number of repeat purchases and
//! on the age alone. For each number they are a smooth function of ln(1 + age / scale), which a few
//! Chebyshev polynomials give to twelve digits.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers are ≥ 0, and those too large for a table are not looked up"
)]

use std::sync::Arc;

use super::{History, PurchaseModel};

/// Numbers of repeat purchases from which on customers are too few to share anything.
const MOST_COUNTS: usize = 1_024;
/// Whole times from which on logarithms are not kept.
const MOST_TIMES: usize = 1 << 16;
/// Polynomials; with panels of length 1 and no singularity within π, errors are below 1e-12.
const TERMS: usize = 13;
/// Largest relative difference from the model at which a panel is used.
const TOLERANCE: f64 = 1e-11;

/// A model with a horizon and a discount rate.
#[derive(Debug)]
pub struct Scorer {
    model: Arc<dyn PurchaseModel>,
    horizon: Option<f64>,
    rate: f64,
    scale: f64,
    /// ln(1 + t / scale) by whole t.
    growths: Vec<f64>,
    /// By number of repeat purchases and whole part of ln(1 + age / scale).
    panels: Vec<Vec<Option<Panel>>>,
}

#[derive(Debug, Clone)]
enum Panel {
    Series([f64; TERMS]),
    /// Where polynomials do not follow the model.
    Rough,
}

impl Scorer {
    /// For expected purchases in (age, age + horizon], each u units ahead counting (1 + rate)^(−u);
    /// horizon `None` is infinite.
    pub fn new(model: Arc<dyn PurchaseModel>, horizon: Option<f64>, rate: f64) -> Self {
        Self {
            scale: model.time_scale(),
            model,
            horizon,
            rate,
            growths: Vec::new(),
            panels: Vec::new(),
        }
    }

    /// Probability that the customer is still a customer.
    pub fn p_alive(&mut self, history: &History) -> f64 {
        let age = self.growth(history.age);
        self.p_alive_at(history, age)
    }

    /// Expected discounted purchases of a customer.
    pub fn purchases(&mut self, history: &History) -> f64 {
        let age = self.growth(history.age);
        self.p_alive_at(history, age) * self.if_alive(history.x, history.age, age)
    }

    /// ln(1 + t / scale)
    fn growth(&mut self, t: f64) -> f64 {
        let exact = |t: f64| (t / self.scale).ln_1p();
        let at = t as usize;
        if at >= MOST_TIMES || t > at as f64 {
            return exact(t);
        }
        if at >= self.growths.len() {
            let more = (self.growths.len()..=at).map(|t| exact(t as f64));
            let more: Vec<f64> = more.collect();
            self.growths.extend(more);
        }
        self.growths[at]
    }

    fn p_alive_at(&mut self, history: &History, age: f64) -> f64 {
        if history.x >= MOST_COUNTS as f64 {
            // The difference of two logarithms has too few digits.
            return self.model.p_alive(history);
        }
        let silence = age - self.growth(history.t_x);
        self.model.p_alive_after(history, silence)
    }

    fn if_alive(&mut self, x: f64, age: f64, y: f64) -> f64 {
        let (count, part) = (x as usize, y as usize);
        if count >= MOST_COUNTS {
            return self.exact(x, age);
        }
        if self.panels.len() <= count {
            self.panels.resize(count + 1, Vec::new());
        }
        if self.panels[count].len() <= part {
            self.panels[count].resize(part + 1, None);
        }
        // A panel is used from the first customer on, so that results depend on nobody else.
        if self.panels[count][part].is_none() {
            self.panels[count][part] = Some(self.panel(x, part as f64));
        }
        match &self.panels[count][part] {
            Some(Panel::Series(series)) => chebyshev(series, 2.0 * (y - part as f64) - 1.0),
            _ => self.exact(x, age),
        }
    }

    fn exact(&self, x: f64, age: f64) -> f64 {
        self.model
            .purchases_if_alive(x, age, self.horizon, self.rate)
    }

    fn panel(&self, x: f64, part: f64) -> Panel {
        let at = |t: f64| self.exact(x, self.scale * (part + 0.5 * (t + 1.0)).exp_m1());
        let angle = |k: usize| std::f64::consts::PI * (k as f64 + 0.5) / TERMS as f64;
        let values: [f64; TERMS] = std::array::from_fn(|k| at(angle(k).cos()));
        let series = std::array::from_fn(|j| {
            let terms = values.iter().enumerate();
            let sum: f64 = terms
                .map(|(k, value)| value * (j as f64 * angle(k)).cos())
                .sum();
            let mean = sum / TERMS as f64;
            if j > 0 { 2.0 * mean } else { mean }
        });
        let is_followed = |t: f64| {
            let (expected, found) = (at(t), chebyshev(&series, t));
            (found - expected).abs() <= TOLERANCE * expected.abs()
        };
        if [-1.0, -0.93, 0.12, 1.0].into_iter().all(is_followed) {
            Panel::Series(series)
        } else {
            Panel::Rough
        }
    }
}

/// Σ cⱼ Tⱼ(t), by Clenshaw's recurrence.
fn chebyshev(series: &[f64; TERMS], t: f64) -> f64 {
    let (mut next, mut after) = (0.0, 0.0);
    for c in series[1..].iter().rev() {
        (next, after) = (c + 2.0 * t * next - after, next);
    }
    series[0] + t * next - after
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::super::model;
    use super::*;

    fn parameters() -> impl Strategy<Value = [f64; 4]> {
        prop::array::uniform4((-3.0..3.0_f64).prop_map(f64::exp))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn many_customers_have_the_values_of_single_ones(
            parameters in parameters(), count in 0_u32..80, unit in 0.1..60.0_f64,
            horizon in 1.0..500.0_f64, rate in 0.0..0.01_f64,
        ) {
            for name in ["bg_nbd", "mbg_nbd", "pareto_nbd"] {
                let [r, alpha, third, fourth] = parameters;
                let fourth = if name == "pareto_nbd" { fourth * unit } else { fourth };
                let parameters = [r, alpha * unit, third, fourth];
                let set_up = || model(name).unwrap().purchases(&parameters).unwrap();
                let mut scorer = Scorer::new(set_up().into(), Some(horizon), rate);
                for day in 0..400 {
                    let age = f64::from(day);
                    let t_x = if count > 0 { 0.9 * age } else { 0.0 };
                    let history = History::try_new(f64::from(count), t_x, age).unwrap();
                    let p_alive = set_up().p_alive(&history);
                    prop_assert!((scorer.p_alive(&history) - p_alive).abs() <= 1e-11 * p_alive);
                    let expected = set_up().discounted_purchases(&history, Some(horizon), rate);
                    let found = scorer.purchases(&history);
                    prop_assert!(
                        (found - expected).abs() <= 2e-11 * expected,
                        "{name}, age {age}: {found}, not {expected}"
                    );
                }
                let panels = scorer.panels.iter().flatten().flatten();
                let mut usual = panels.filter(|panel| matches!(panel, Panel::Series(_)));
                prop_assert!(usual.next().is_some(), "{name}: nothing is shared");
            }
        }
    }
}
