//! Lifetime-value models against published numbers and 40-digit reference values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use loyalake_core::btyd::bg_bb::{self, BgBb};
use loyalake_core::btyd::gamma_gamma::{self, GammaGamma};
use loyalake_core::btyd::sbg::{self, Sbg};
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
            "bgbb" => self.opportunities(&BgBb::try_new(parameters).unwrap()),
            "sbg" => self.contract(Sbg::try_new(parameters).unwrap()),
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
    assert_file_matches("golden/btyd/points.csv", 120);
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

impl Point<'_> {
    fn opportunities(&self, model: &BgBb) -> f64 {
        let input = |name| self.inputs[name];
        if self.quantity == "expectation" {
            return model.expected_purchases_new(input("n"));
        }
        let history = History::try_new(input("x"), input("t_x"), input("n")).unwrap();
        assert!(model.accepts(&history), "{}", self.line);
        match self.quantity {
            "loglik" => model.log_likelihood(&history),
            "p_alive_at_n_plus_1" => model.p_alive(&history),
            "cet" => model.expected_purchases(&history, input("n_star")),
            "dert" => model.discounted_purchases(&history, None, input("d")),
            quantity => panic!("no such quantity: {quantity}"),
        }
    }

    fn contract(&self, model: Sbg) -> f64 {
        let input = |name| self.inputs[name];
        let value = match self.quantity {
            "survival" => model.survival(input("t")),
            "retention" => model.retention_rate(input("t")),
            "derl_before_renewal" => model.expected_lifetime(input("n"), input("d")),
            quantity => panic!("no such quantity: {quantity}"),
        };
        value.unwrap()
    }
}

/// Fader, Hardie, Shang (2010), table 1: donors by repeat donations and the last of six years with
/// one.
const DONORS: [([f64; 2], u64); 22] = [
    ([0.0, 0.0], 3_464),
    ([1.0, 1.0], 1_091),
    ([1.0, 2.0], 277),
    ([1.0, 3.0], 129),
    ([1.0, 4.0], 78),
    ([1.0, 5.0], 119),
    ([1.0, 6.0], 129),
    ([2.0, 2.0], 613),
    ([2.0, 3.0], 255),
    ([2.0, 4.0], 155),
    ([2.0, 5.0], 173),
    ([2.0, 6.0], 234),
    ([3.0, 3.0], 322),
    ([3.0, 4.0], 181),
    ([3.0, 5.0], 225),
    ([3.0, 6.0], 357),
    ([4.0, 4.0], 240),
    ([4.0, 5.0], 284),
    ([4.0, 6.0], 512),
    ([5.0, 5.0], 335),
    ([5.0, 6.0], 728),
    ([6.0, 6.0], 1_203),
];

/// `BTYD`, with the digits of a second implementation; expected donations of five years and donors
/// who never and always gave as in the tests of lifetimes.
#[test]
fn bg_bb_fit_matches_fader_hardie_shang_2010() {
    let mut donors = Collapsed::default();
    for ([x, t_x], customers) in DONORS {
        donors.update([x, t_x, 6.0], customers);
    }
    let fit = bg_bb::fit(&donors);
    assert_eq!((fit.customers, fit.rows_distinct), (11_104, 22));
    assert_fit(
        &fit,
        &[1.203_522, 0.749_716, 0.656_718, 2.783_443],
        -33_225.581_3,
    );
    let model = BgBb::try_new(&fit.values().unwrap()).unwrap();
    let next_five_years = |([x, t_x], customers): ([f64; 2], u64)| {
        let donor = History::try_new(x, t_x, 6.0).unwrap();
        model.expected_purchases(&donor, 5.0) * customers as f64
    };
    let expected: f64 = DONORS.map(next_five_years).iter().sum();
    assert!((expected - 12_884.2).abs() < 0.05, "{expected}");
    for (donations, donors) in [(0.0, 3_454.9), (6.0, 1_253.1)] {
        let probability = model.purchase_probability(&History::NEW, 6.0, donations);
        assert!((11_104.0 * probability - donors).abs() < 0.1, "{donations}");
    }
}

/// Fader, Hardie (2007), table 1: customers of 1,000 who are there after each of seven years.
#[test]
fn sbg_fits_match_fader_hardie_2007() {
    let high_end = [869, 743, 653, 593, 551, 517, 491];
    let regular = [631, 468, 382, 326, 289, 262, 241];
    for (alive, parameters, log_likelihood) in [
        (high_end, [0.668_088, 3.806_095], -1_611.158),
        (regular, [0.704_077, 1.182_043], -1_680.265),
    ] {
        let mut contracts = Collapsed::default();
        let mut before = 1_000;
        for (year, alive) in (1_u32..).zip(alive) {
            contracts.update([f64::from(year), 1.0], before - alive);
            before = alive;
        }
        contracts.update([7.0, 0.0], before);
        let fit = sbg::fit(&contracts);
        assert_eq!((fit.customers, fit.rows_distinct), (1_000, 8));
        assert_fit(&fit, &parameters, log_likelihood);
    }
}
