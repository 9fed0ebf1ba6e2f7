//! Lifetime-value models against published numbers and 40-digit reference values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use loyalake_core::btyd::gamma_gamma::{self, GammaGamma};
use loyalake_core::btyd::{Collapsed, Fit, History, PurchaseModel, Spend, Status, bg_nbd, mbg_nbd};

use super::read;

const TOLERANCE: f64 = 1e-10;

/// A line of `points.csv` or `corners.csv`.
struct Point<'a> {
    line: &'a str,
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
        let pairs = |text: &'a str| text.split(';').map(|pair| pair.split_once('=').unwrap());
        Self {
            line,
            model,
            quantity,
            parameters: pairs(parameters)
                .map(|(_, number)| number.parse().unwrap())
                .collect(),
            inputs: pairs(inputs)
                .map(|(name, number)| (name, number.parse().unwrap()))
                .collect(),
            value: value.parse().unwrap(),
        }
    }

    fn computed(&self) -> f64 {
        let parameters = &self.parameters;
        match self.model {
            "bgnbd" => self.purchases(&bg_nbd::try_new(parameters).unwrap()),
            "mbgnbd" => self.purchases(&mbg_nbd::try_new(parameters).unwrap()),
            "gg" => self.spend(GammaGamma::try_new(parameters).unwrap()),
            model => panic!("no such model: {model}"),
        }
    }

    fn purchases(&self, model: &dyn PurchaseModel) -> f64 {
        let input = |name| self.inputs[name];
        if self.quantity == "expectation" {
            return model.expected_purchases_new(input("t"));
        }
        let history = History::try_new(input("x"), input("t_x"), input("T")).unwrap();
        match self.quantity {
            "loglik" => model.log_likelihood(&history),
            "p_alive" => model.p_alive(&history),
            "cet" => model.expected_purchases(&history, input("t")),
            "discounted" => {
                let horizon = Some(input("t")).filter(|t| t.is_finite());
                model.discounted_purchases(&history, horizon, input("d"))
            }
            quantity => panic!("no such quantity: {quantity}"),
        }
    }

    fn spend(&self, model: GammaGamma) -> f64 {
        let spend = Spend::try_new(self.inputs["x"], self.inputs["m"]).unwrap();
        match self.quantity {
            "loglik" => model.log_likelihood(&spend),
            "expected_spend" => model.expected_spend(Some(&spend)).unwrap(),
            quantity => panic!("no such quantity: {quantity}"),
        }
    }
}

fn assert_file_matches(path: &str, least_points: usize) {
    let text = read(path);
    let points: Vec<Point> = text.lines().skip(1).map(Point::parse).collect();
    assert!(
        points.len() >= least_points,
        "{path} holds {} points only",
        points.len()
    );
    let mut wrong = Vec::new();
    for point in &points {
        let computed = point.computed();
        let error = (computed - point.value).abs();
        // Values below the smallest double are 0.
        if error.is_nan() || error > TOLERANCE * point.value.abs().max(f64::MIN_POSITIVE) {
            wrong.push(format!("{}\n    computed {computed:e}", point.line));
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

#[test]
fn btyd_points_at_published_parameters_match() {
    assert_file_matches("golden/btyd/points.csv", 58);
}

#[test]
fn btyd_corners_match() {
    assert_file_matches("golden/btyd/corners.csv", 700);
}

/// CDNOW sample, purchases of a day counted as one, to 1997-09-30: (x, `t_x`, T) in weeks, mean
/// repeat value.
fn cdnow() -> Vec<([f64; 3], Option<f64>)> {
    let text = read("../examples/cdnow/CDNOW_sample.txt");
    let mut customers: BTreeMap<&str, BTreeMap<i32, f64>> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (date, dollars): (i32, f64) = (fields[2].parse().unwrap(), fields[4].parse().unwrap());
        if date <= 19_970_930 {
            let days = customers.entry(fields[1]).or_default();
            *days.entry(day_of_1997(date)).or_default() += dollars;
        }
    }
    let end = day_of_1997(19_970_930);
    let history = |days: BTreeMap<i32, f64>| {
        let weeks = |days: i32| f64::from(days) / 7.0;
        let (first, last) = (*days.keys().next().unwrap(), *days.keys().last().unwrap());
        let x = days.len() as f64 - 1.0;
        let repeat_value: f64 = days.values().skip(1).sum();
        (
            [x, weeks(last - first), weeks(end - first)],
            (x > 0.0).then(|| repeat_value / x),
        )
    };
    customers.into_values().map(history).collect()
}

fn day_of_1997(date: i32) -> i32 {
    let days_before = [0, 31, 59, 90, 120, 151, 181, 212, 243];
    days_before[usize::try_from(date / 100 % 100 - 1).unwrap()] + date % 100
}

fn cdnow_histories() -> Collapsed<3> {
    let mut histories = Collapsed::default();
    for (history, _) in cdnow() {
        histories.update(history, 1);
    }
    histories
}

fn assert_fit(fit: &Fit, parameters: &[f64], log_likelihood: f64) {
    assert_eq!((fit.status, &fit.message), (Status::Ok, &None));
    assert!(fit.gradient_norm.unwrap() < 1e-9, "{fit:?}");
    assert!(
        (fit.log_likelihood.unwrap() - log_likelihood).abs() < 5e-4,
        "{fit:?}"
    );
    for (estimate, expected) in fit.parameters.as_ref().unwrap().iter().zip(parameters) {
        assert!(
            (estimate.value / expected - 1.0).abs() < 1e-4,
            "{estimate:?}, not {expected}"
        );
    }
}

fn assert_std_errors(fit: &Fit, expected: &[f64]) {
    for (estimate, expected) in fit.parameters.as_ref().unwrap().iter().zip(expected) {
        let relative = estimate.std_error.unwrap() / expected - 1.0;
        assert!(relative.abs() < 1e-4, "{estimate:?}, not {expected}");
    }
}

/// Fader, Hardie, Lee (2005), table 2, with the digits of `CLVTools`; standard errors from a second
/// implementation.
#[test]
fn bg_nbd_fit_matches_fader_hardie_lee_2005() {
    let fit = bg_nbd::fit(&cdnow_histories());
    assert_fit(
        &fit,
        &[0.242_595, 4.413_602, 0.792_922, 2.425_907],
        -9_582.429_2,
    );
    assert_std_errors(&fit, &[0.012_557, 0.378_224, 0.185_733, 0.705_412]);
    assert_eq!((fit.customers, fit.rows_distinct), (2_357, 1_016));
}

#[test]
fn mbg_nbd_fit_matches_lifetimes() {
    let fit = mbg_nbd::fit(&cdnow_histories());
    assert_fit(
        &fit,
        &[0.524_843, 6.183_086, 0.891_359, 1.614_002],
        -9_582.135_7,
    );
}

/// `CLVTools`; 946 repeat buyers.
#[test]
fn gamma_gamma_fit_matches_clvtools() {
    let mut spends = Collapsed::default();
    for ([x, ..], mean) in cdnow() {
        if let Some(mean) = mean.filter(|mean| *mean > 0.0) {
            spends.update([x, mean], 1);
        }
    }
    let fit = gamma_gamma::fit(&spends);
    assert_eq!(fit.customers, 946);
    assert_fit(&fit, &[6.249_572, 3.744_225, 15.443_524], -4_055.917_7);
}

#[test]
fn model_and_unit_of_time_do_not_change_the_likelihood_ratio() {
    let weeks = bg_nbd::fit(&cdnow_histories());
    let mut days = Collapsed::default();
    for ([x, t_x, age], _) in cdnow() {
        days.update([x, (7.0 * t_x).round(), (7.0 * age).round()], 1);
    }
    let days = bg_nbd::fit(&days);
    let (weeks, days) = (weeks.values().unwrap(), days.values().unwrap());
    for (i, unit) in [1.0, 7.0, 1.0, 1.0].into_iter().enumerate() {
        assert!(
            (days[i] / weeks[i] / unit - 1.0).abs() < 1e-9,
            "{weeks:?} {days:?}"
        );
    }
}

/// Fader, Hardie, Lee (2005): 2,357 customers of whom 1,411 never came back.
#[test]
fn cdnow_sample_is_that_of_the_papers() {
    let customers = cdnow();
    let distinct: BTreeSet<String> = customers.iter().map(|(h, _)| format!("{h:?}")).collect();
    assert_eq!((customers.len(), distinct.len()), (2_357, 1_016));
    assert_eq!(
        customers.iter().filter(|([x, ..], _)| *x < 1.0).count(),
        1_411
    );
}
