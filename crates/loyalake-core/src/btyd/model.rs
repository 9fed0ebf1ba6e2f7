//! The models by name.

use std::fmt::Debug;

use super::gamma_gamma::GammaGamma;
use super::sbg::Sbg;
use super::{History, bg_bb, bg_nbd, gamma_gamma, mbg_nbd, pareto_nbd, sbg};
use crate::special::logistic;
use crate::{Error, Result};

/// All models.
pub const MODELS: [&Model; 6] = [
    &bg_nbd::MODEL,
    &mbg_nbd::MODEL,
    &pareto_nbd::MODEL,
    &bg_bb::MODEL,
    &gamma_gamma::MODEL,
    &sbg::MODEL,
];

/// Sets the formulas of a model up with values of its parameters.
pub type SetUp = fn(&[f64]) -> Result<Box<dyn PurchaseModel>>;

/// A model's name and parameters.
#[derive(Debug)]
pub struct Model {
    /// As it is written in SQL.
    pub name: &'static str,
    /// In the order in which their values are given.
    pub parameters: &'static [&'static str],
    /// For models of purchases over time: sets the formulas up.
    pub purchases: Option<SetUp>,
}

impl Model {
    /// Whether the values can be the model's parameters: their number is right, all are finite and
    /// above 0.
    ///
    /// # Errors
    /// Says what is wrong with which parameter.
    pub fn check(&self, values: &[f64]) -> Result<()> {
        let model = self.name;
        if values.len() != self.parameters.len() {
            return Err(self.wrong_count(values));
        }
        let mut pairs = self.parameters.iter().zip(values);
        match pairs.find(|(_, value)| !(value.is_finite() && **value > 0.0)) {
            None => Ok(()),
            Some((parameter, value)) => Err(Error::ParameterOutOfDomain {
                model,
                parameter,
                value: *value,
            }),
        }
    }

    /// The checked values as an array.
    pub(super) fn parameters<const P: usize>(&self, values: &[f64]) -> Result<[f64; P]> {
        self.check(values)?;
        values.try_into().map_err(|_| self.wrong_count(values))
    }

    fn wrong_count(&self, values: &[f64]) -> Error {
        Error::ParameterCount {
            model: self.name,
            expected: self.parameters.len(),
            names: self.parameters.join(", "),
            found: values.len(),
        }
    }

    /// The formulas of a model of purchases over time.
    ///
    /// # Errors
    /// When the model is of another kind, or a parameter is out of its domain.
    pub fn purchases(&self, values: &[f64]) -> Result<Box<dyn PurchaseModel>> {
        let Some(set_up) = self.purchases else {
            let known = MODELS.iter().filter(|model| model.purchases.is_some());
            let known: Vec<_> = known.map(|model| model.name).collect();
            let known = format!("one of {}", known.join(", "));
            return Err(self.other_subject("purchases over time", known));
        };
        set_up(values)
    }

    /// The formulas of the Gamma-Gamma model of spending.
    ///
    /// # Errors
    /// When the model is another one, or a parameter is out of its domain.
    pub fn spending(&self, values: &[f64]) -> Result<GammaGamma> {
        if self.name == gamma_gamma::MODEL.name {
            return GammaGamma::try_new(values);
        }
        Err(self.other_subject("spending", gamma_gamma::MODEL.name.to_string()))
    }

    /// The formulas of the shifted beta-geometric model of contracts.
    ///
    /// # Errors
    /// When the model is another one, or a parameter is out of its domain.
    pub fn contracts(&self, values: &[f64]) -> Result<Sbg> {
        if self.name == sbg::MODEL.name {
            return Sbg::try_new(values);
        }
        Err(self.other_subject("contracts", sbg::MODEL.name.to_string()))
    }

    fn other_subject(&self, subject: &'static str, known: String) -> Error {
        Error::OtherSubject {
            model: self.name,
            subject,
            known,
        }
    }
}

/// The model of this name.
///
/// # Errors
/// When there is none.
pub fn model(name: &str) -> Result<&'static Model> {
    MODELS
        .into_iter()
        .find(|model| model.name == name)
        .ok_or_else(|| Error::UnknownModel {
            name: name.to_string(),
            known: MODELS.map(|model| model.name).join(", "),
        })
}

/// What a model with known parameters says about a customer's purchases; time in the unit of the
/// fit.
///
/// All are total: a horizon is ≥ 0, a discount rate is ≥ 0 and effective per unit of time.
pub trait PurchaseModel: Debug + Send + Sync {
    /// ln of the odds that the customer has left, −∞ when that cannot be.
    fn ln_odds_of_having_left(&self, history: &History) -> f64;

    /// Probability that the customer is still a customer.
    fn p_alive(&self, history: &History) -> f64 {
        logistic(-self.ln_odds_of_having_left(history))
    }

    /// The same when ln((scale + age) / (scale + recency)) is known, scale being
    /// [`Self::time_scale`].
    fn p_alive_after(&self, history: &History, _ln_silence: f64) -> f64 {
        self.p_alive(history)
    }

    /// Expected purchases in (age, age + horizon] of a customer with x repeat purchases who is
    /// alive (where [`Self::p_alive`] means it), each u units ahead counting (1 + rate)^(−u);
    /// horizon `None` is infinite.
    fn purchases_if_alive(&self, x: f64, age: f64, horizon: Option<f64>, rate: f64) -> f64;

    /// No fewer than [`Self::purchases_if_alive`] without a discount, and quick where that is not.
    fn most_purchases_if_alive(&self, x: f64, age: f64, horizon: f64) -> f64 {
        self.purchases_if_alive(x, age, Some(horizon), 0.0)
    }

    /// The time in which a new customer's future changes: with it, all functions of age are smooth
    /// in ln(1 + age / scale).
    fn time_scale(&self) -> f64;

    /// Expected purchases in (age, age + horizon].
    fn expected_purchases(&self, history: &History, horizon: f64) -> f64 {
        self.discounted_purchases(history, Some(horizon), 0.0)
    }

    /// The same for a customer who has just made the first purchase.
    fn expected_purchases_new(&self, horizon: f64) -> f64 {
        self.expected_purchases(&History::NEW, horizon)
    }

    /// Expected purchases, each u units ahead counting (1 + rate)^(−u); horizon `None` is infinite.
    fn discounted_purchases(&self, history: &History, horizon: Option<f64>, rate: f64) -> f64 {
        self.p_alive(history) * self.purchases_if_alive(history.x, history.age, horizon, rate)
    }

    /// The customer's contribution to the log-likelihood.
    fn log_likelihood(&self, history: &History) -> f64;

    /// Probability of exactly n purchases in (age, age + horizon] of a customer with x repeat
    /// purchases who has not left, n a whole number.
    fn count_if_alive(&self, x: f64, age: f64, horizon: f64, n: f64) -> f64;

    /// The same for n from 1 to `most`, to ten digits after the point; faster than one by one.
    fn first_counts_if_alive(&self, x: f64, age: f64, horizon: f64, most: usize) -> Vec<f64> {
        each_count_if_alive(self, [x, age, horizon], most)
    }

    /// Probability of exactly n purchases in (age, age + horizon], n a whole number.
    fn purchase_probability(&self, history: &History, horizon: f64, n: f64) -> f64 {
        let ln_odds = self.ln_odds_of_having_left(history);
        let if_left = if n > 0.0 { 0.0 } else { logistic(ln_odds) };
        let if_alive = self.count_if_alive(history.x, history.age, horizon, n);
        logistic(-ln_odds) * if_alive + if_left
    }

    /// The time until the next purchase that is not exceeded with probability q, 0 ≤ q ≤ 1; `None`
    /// when, with a greater probability than 1 − q, there is no further purchase.
    fn next_purchase_quantile(&self, history: &History, q: f64) -> Option<f64>;

    /// Whether a horizon is in the model's domain.
    fn accepts_horizon(&self, horizon: f64) -> bool {
        horizon >= 0.0 && horizon.is_finite()
    }

    /// Whether such a customer can be in the model.
    fn accepts(&self, _: &History) -> bool {
        true
    }
}

/// The probabilities of 1 to `most` purchases, one by one.
pub(super) fn each_count_if_alive<M: PurchaseModel + ?Sized>(
    model: &M,
    [x, age, horizon]: [f64; 3],
    most: usize,
) -> Vec<f64> {
    let counts = (1..=most).map(|n| model.count_if_alive(x, age, horizon, n as f64));
    counts.collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn messages_name_model_parameter_and_remedy() {
        let message = |name: &str, values: &[f64]| {
            model(name)
                .and_then(|model| model.purchases(values))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message("bgnbd", &[]),
            "model 'bgnbd' is not known; write one of bg_nbd, mbg_nbd, pareto_nbd, bg_bb, \
             gamma_gamma, sbg"
        );
        assert_eq!(
            message("bg_nbd", &[1.0, 2.0]),
            "bg_nbd has 4 parameters (r, alpha, a, b), but 2 are given; give them in this order"
        );
        assert_eq!(
            message("mbg_nbd", &[1.0, 2.0, 0.0, 3.0]),
            "mbg_nbd needs a finite a above 0, but it is 0; take parameters from a fit with \
             status ok"
        );
        assert_eq!(
            message("gamma_gamma", &[1.0, 2.0, 3.0]),
            "model 'gamma_gamma' says nothing about purchases over time; pass a fit of one of \
             bg_nbd, mbg_nbd, pareto_nbd, bg_bb"
        );
    }
}
