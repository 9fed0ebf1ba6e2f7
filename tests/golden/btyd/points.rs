//! Every line of `points.csv`, `corners.csv` and `value_quantiles.csv`.

use std::collections::HashMap;

use loyalake_core::btyd::bg_bb::BgBb;
use loyalake_core::btyd::gamma_gamma::GammaGamma;
use loyalake_core::btyd::pareto_nbd::ParetoNbd;
use loyalake_core::btyd::sbg::Sbg;
use loyalake_core::btyd::{History, PurchaseModel, Spend, bg_nbd, mbg_nbd, value_quantile};

use super::read;

const TOLERANCE: f64 = 1e-10;
const VALUE_TOLERANCE: f64 = 1e-3;

/// A line of `points.csv` or `corners.csv`.
struct Point<'a> {
    model: &'a str,
    quantity: &'a str,
    parameters: Vec<f64>,
    inputs: HashMap<&'a str, f64>,
    value: f64,
}

impl<'a> Point<'a> {
    fn parse(line: &'a str) -> Self {
        let fields: Vec<&str> = line.split(',').collect();
        let [model, quantity, parameters, inputs, value] = fields[..] else {
            panic!("five fields needed: {line}")
        };
        let inputs = pairs(inputs);
        Self {
            model,
            quantity,
            parameters: parameters_of(parameters),
            inputs: inputs.into_iter().collect(),
            value: value.parse().unwrap(),
        }
    }

    fn computed(&self) -> f64 {
        match self.model {
            "sbg" => self.contract(Sbg::try_new(&self.parameters).unwrap()),
            "gg" => self.spend(GammaGamma::try_new(&self.parameters).unwrap()),
            name => self.purchases(purchase_model(name, &self.parameters).as_ref()),
        }
    }

    fn input(&self, name: &str) -> f64 {
        self.inputs[name]
    }

    /// The first of these inputs that the line has.
    fn one_of(&self, names: &[&str]) -> f64 {
        let known = names.iter().find_map(|name| self.inputs.get(name));
        *known.unwrap_or_else(|| panic!("none of {names:?} for {}", self.quantity))
    }

    fn history(&self) -> History {
        if !self.inputs.contains_key("x") {
            return History::NEW;
        }
        let age = self.one_of(&["T", "n"]);
        History::try_new(self.input("x"), self.input("t_x"), age).unwrap()
    }

    /// bgbb calls opportunities n and `n_star`, and purchases k.
    fn purchases(&self, model: &dyn PurchaseModel) -> f64 {
        let history = self.history();
        assert!(model.accepts(&history), "{history:?}");
        let horizon = || self.one_of(&["n_star", "t"]);
        match self.quantity {
            "expectation" => model.expected_purchases_new(self.one_of(&["t", "n"])),
            "loglik" => model.log_likelihood(&history),
            "p_alive" | "p_alive_at_n_plus_1" => model.p_alive(&history),
            "cet" => model.expected_purchases(&history, horizon()),
            "discounted" => {
                let horizon = Some(horizon()).filter(|t| t.is_finite());
                model.discounted_purchases(&history, horizon, self.input("d"))
            }
            "dert" => {
                let continuous = self.inputs.get("delta").map(|delta| delta.exp_m1());
                let rate = continuous.unwrap_or_else(|| self.input("d"));
                model.discounted_purchases(&history, None, rate)
            }
            "pmf" | "pmf_conditional" => {
                model.purchase_probability(&history, horizon(), self.one_of(&["k", "n"]))
            }
            "next_purchase_quantile" => model
                .next_purchase_quantile(&history, self.input("q"))
                .unwrap_or(f64::NAN),
            quantity => panic!("no such quantity: {quantity}"),
        }
    }

    fn spend(&self, model: GammaGamma) -> f64 {
        let spend = Spend::try_new(self.input("x"), self.input("m")).unwrap();
        match self.quantity {
            "loglik" => model.log_likelihood(&spend),
            "expected_spend" => model.expected_spend(Some(&spend)).unwrap(),
            quantity => panic!("no such quantity: {quantity}"),
        }
    }

    fn contract(&self, model: Sbg) -> f64 {
        let value = match self.quantity {
            "survival" => model.survival(self.input("t")),
            "retention" => model.retention_rate(self.input("t")),
            "derl_before_renewal" => model.expected_lifetime(self.input("n"), self.input("d")),
            quantity => panic!("no such quantity: {quantity}"),
        };
        value.unwrap()
    }
}

fn pairs(text: &str) -> Vec<(&str, f64)> {
    let pairs = text.split(';').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, number)| (name, number.parse().unwrap()))
        .collect()
}

fn parameters_of(text: &str) -> Vec<f64> {
    pairs(text).into_iter().map(|(_, value)| value).collect()
}

fn purchase_model(name: &str, parameters: &[f64]) -> Box<dyn PurchaseModel> {
    match name {
        "bgnbd" => Box::new(bg_nbd::try_new(parameters).unwrap()),
        "mbgnbd" => Box::new(mbg_nbd::try_new(parameters).unwrap()),
        "pnbd" => Box::new(ParetoNbd::try_new(parameters).unwrap()),
        "bgbb" => Box::new(BgBb::try_new(parameters).unwrap()),
        model => panic!("no such model: {model}"),
    }
}

/// Compares what `evaluate` makes of each line, computed and expected.
fn assert_file_matches(
    path: &str,
    least_points: usize,
    tolerance: f64,
    evaluate: fn(&str) -> (f64, f64),
) {
    let text = read(path);
    let points: Vec<&str> = text.lines().skip(1).collect();
    assert!(
        points.len() >= least_points,
        "{path} holds {} points only",
        points.len()
    );
    let mut wrong = Vec::new();
    for point in &points {
        let (computed, expected) = evaluate(point);
        let error = (computed - expected).abs();
        // Values below the smallest double are 0.
        if error.is_nan() || error > tolerance * expected.abs().max(f64::MIN_POSITIVE) {
            let relative = error / expected.abs();
            wrong.push(format!(
                "{point}\n    computed {computed:e}, off by {relative:.1e}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        points.len(),
        wrong.join("\n")
    );
}

fn at_point(line: &str) -> (f64, f64) {
    let point = Point::parse(line);
    (point.computed(), point.value)
}

#[test]
fn points_at_published_parameters_match() {
    assert_file_matches("golden/btyd/points.csv", 158, TOLERANCE, at_point);
}

#[test]
fn corners_match() {
    assert_file_matches("golden/btyd/corners.csv", 1_559, TOLERANCE, at_point);
}

fn at_value_quantile(line: &str) -> (f64, f64) {
    let fields: Vec<&str> = line.split(',').collect();
    let model = purchase_model(fields[0], &parameters_of(fields[1]));
    let numbers: Vec<f64> = fields[2..]
        .iter()
        .map(|number| number.parse().unwrap())
        .collect();
    let [p, q, v, x, t_x, age, mean, horizon, level, value] = numbers[..] else {
        panic!("twelve fields needed: {line}")
    };
    let spending = GammaGamma::try_new(&[p, q, v]).unwrap();
    let history = History::try_new(x, t_x, age).unwrap();
    let spend = Spend::try_new(x, mean);
    let computed = value_quantile(
        model.as_ref(),
        &spending,
        &history,
        spend.as_ref(),
        horizon,
        level,
    );
    (computed, value)
}

#[test]
fn value_quantiles_match() {
    let path = "golden/btyd/value_quantiles.csv";
    assert_file_matches(path, 81, VALUE_TOLERANCE, at_value_quantile);
}
