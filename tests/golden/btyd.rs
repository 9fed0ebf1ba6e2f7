//! The lifetime-value models against published numbers and 40-digit reference values.

use std::collections::{BTreeMap, BTreeSet};

use loyalake_core::btyd::bg_bb::{self, BgBb};
use loyalake_core::btyd::{
    Collapsed, Fit, History, PurchaseModel, Status, bg_nbd, gamma_gamma, mbg_nbd, pareto_nbd, sbg,
};

use super::read;

#[path = "btyd/points.rs"]
mod points;
#[path = "btyd/predictions.rs"]
mod predictions;

/// A customer of the CDNOW sample, purchases of a day counted as one, to 1997-09-30.
struct Customer {
    /// x, `t_x`, T in weeks.
    history: [f64; 3],
    mean_repeat_value: Option<f64>,
    /// Days with a purchase in the 39 weeks that follow.
    later: f64,
}

fn cdnow() -> Vec<Customer> {
    let text = read("../examples/cdnow/CDNOW_sample.txt");
    let mut customers: BTreeMap<&str, BTreeMap<i32, f64>> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (date, dollars): (i32, f64) = (fields[2].parse().unwrap(), fields[4].parse().unwrap());
        let days = customers.entry(fields[1]).or_default();
        *days.entry(day(date)).or_default() += dollars;
    }
    customers.into_values().map(customer).collect()
}

fn customer(mut days: BTreeMap<i32, f64>) -> Customer {
    let end = day(19_970_930);
    let later = days.split_off(&(end + 1));
    let weeks = |days: i32| f64::from(days) / 7.0;
    let (first, last) = (*days.keys().next().unwrap(), *days.keys().last().unwrap());
    let x = days.len() as f64 - 1.0;
    let repeat_value: f64 = days.values().skip(1).sum();
    Customer {
        history: [x, weeks(last - first), weeks(end - first)],
        mean_repeat_value: (x > 0.0).then(|| repeat_value / x),
        later: later.len() as f64,
    }
}

/// Days since the end of 1996, of a date in 1997 or 1998.
fn day(date: i32) -> i32 {
    let days_before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let month = usize::try_from(date / 100 % 100).unwrap();
    (date / 10_000 - 1997) * 365 + days_before[month - 1] + date % 100
}

fn cdnow_histories() -> Collapsed<3> {
    let mut histories = Collapsed::default();
    for customer in cdnow() {
        histories.update(customer.history, 1);
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
    let fit = bg_nbd::fit(cdnow_histories());
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
    let fit = mbg_nbd::fit(cdnow_histories());
    assert_fit(
        &fit,
        &[0.524_843, 6.183_086, 0.891_359, 1.614_002],
        -9_582.135_7,
    );
}

/// `CLVTools`, with the digits of a second implementation, which found the standard errors.
#[test]
fn pareto_nbd_fit_matches_clvtools() {
    let fit = pareto_nbd::fit(cdnow_histories());
    assert_fit(
        &fit,
        &[0.553_277, 10.577_682, 0.606_240, 11.668_737],
        -9_594.976_2,
    );
    assert_std_errors(&fit, &[0.047_63, 0.842_72, 0.187_28, 6.211_18]);
}

/// `CLVTools`; 946 repeat buyers.
#[test]
fn gamma_gamma_fit_matches_clvtools() {
    let mut spends = Collapsed::default();
    for customer in cdnow() {
        if let Some(mean) = customer.mean_repeat_value.filter(|mean| *mean > 0.0) {
            spends.update([customer.history[0], mean], 1);
        }
    }
    let fit = gamma_gamma::fit(spends);
    assert_eq!(fit.customers, 946);
    assert_fit(&fit, &[6.249_572, 3.744_225, 15.443_524], -4_055.917_7);
}

#[test]
fn model_and_unit_of_time_do_not_change_the_likelihood_ratio() {
    let weeks = bg_nbd::fit(cdnow_histories());
    let mut days = Collapsed::default();
    for customer in cdnow() {
        let [x, t_x, age] = customer.history;
        days.update([x, (7.0 * t_x).round(), (7.0 * age).round()], 1);
    }
    let days = bg_nbd::fit(days);
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
    let histories: Vec<[f64; 3]> = cdnow().iter().map(|customer| customer.history).collect();
    let distinct: BTreeSet<String> = histories.iter().map(|h| format!("{h:?}")).collect();
    assert_eq!((histories.len(), distinct.len()), (2_357, 1_016));
    let one_time_buyers = histories.iter().filter(|[x, ..]| *x < 1.0);
    assert_eq!(one_time_buyers.count(), 1_411);
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
    let fit = bg_bb::fit(donors);
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
        let fit = sbg::fit(contracts);
        assert_eq!((fit.customers, fit.rows_distinct), (1_000, 8));
        assert_fit(&fit, &parameters, log_likelihood);
    }
}
