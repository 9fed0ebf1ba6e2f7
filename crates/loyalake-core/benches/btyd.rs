//! How fast models are fitted and asked: `cargo bench -p loyalake-core --bench btyd`.
//!
//! The comparison with other libraries is in `examples/benchmark`.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use loyalake_core::btyd::simulate::Shop;
use loyalake_core::btyd::{
    Collapsed, Fit, History, PurchaseModel, bg_nbd, gamma_gamma, mbg_nbd, model,
};

const CUSTOMERS: u64 = 100_000;
const DAYS: f64 = 730.0;
const PURCHASES: [f64; 4] = [0.8, 60.0, 0.8, 4.0];
const SPEND: [f64; 3] = [6.25, 3.74, 15.44];
const PURCHASE_MODELS: [&str; 2] = ["bg_nbd", "mbg_nbd"];

fn main() {
    divan::Divan::default()
        .sample_count(20)
        .config_with_args()
        .main();
}

/// Repeat purchases, recency and age in whole days, and the values of the repeat purchases.
fn customers() -> Vec<([f64; 3], f64)> {
    let shop = Shop {
        purchases: PURCHASES,
        spend: SPEND,
    };
    let customer = |customer| {
        let purchases = shop.customer(1, customer, DAYS);
        let (first, repeats) = purchases.split_first().unwrap();
        let last = repeats.last().unwrap_or(first);
        let first_day = first.day.floor();
        let recency = last.day.floor() - first_day;
        let value = repeats.iter().map(|purchase| purchase.value).sum();
        ([repeats.len() as f64, recency, DAYS - first_day], value)
    };
    (0..CUSTOMERS).map(customer).collect()
}

fn rows() -> Vec<[f64; 3]> {
    customers().into_iter().map(|(row, _)| row).collect()
}

fn collapse<const N: usize>(rows: impl Iterator<Item = [f64; N]>) -> Collapsed<N> {
    let mut collapsed = Collapsed::default();
    rows.for_each(|row| collapsed.update(row, 1));
    collapsed
}

#[divan::bench]
fn collapse_histories(bencher: Bencher) {
    let histories = rows();
    bencher
        .counter(ItemsCount::new(histories.len()))
        .bench_local(|| collapse(histories.iter().copied()));
}

#[divan::bench]
fn merge_histories(bencher: Bencher) {
    let histories = rows();
    let (left, right) = histories.split_at(histories.len() / 2);
    let [left, right] = [left, right].map(|half| collapse(half.iter().copied()));
    bencher
        .counter(ItemsCount::new(histories.len()))
        .with_inputs(|| (left.clone(), right.clone()))
        .bench_local_values(|(mut left, right)| {
            left.merge(right);
            left
        });
}

fn fit_histories(bencher: Bencher, fit: fn(&Collapsed<3>) -> Fit) {
    let collapsed = collapse(rows().into_iter());
    bencher
        .counter(ItemsCount::new(CUSTOMERS))
        .bench_local(|| fit(black_box(&collapsed)));
}

#[divan::bench]
fn bg_nbd_fit(bencher: Bencher) {
    fit_histories(bencher, bg_nbd::fit);
}

#[divan::bench]
fn mbg_nbd_fit(bencher: Bencher) {
    fit_histories(bencher, mbg_nbd::fit);
}

#[divan::bench]
fn gamma_gamma_fit(bencher: Bencher) {
    let customers = customers().into_iter();
    let repeaters = customers.filter(|([x, ..], _)| *x > 0.0);
    let collapsed = collapse(repeaters.map(|([x, ..], value)| [x, value / x]));
    bencher
        .counter(ItemsCount::new(collapsed.customers()))
        .bench_local(|| gamma_gamma::fit(black_box(&collapsed)));
}

/// The sum over all customers of what a model says of each.
fn ask(bencher: Bencher, name: &str, question: impl Fn(&dyn PurchaseModel, &History) -> f64) {
    let history = |[x, t_x, age]: [f64; 3]| History::try_new(x, t_x, age).unwrap();
    let histories: Vec<History> = rows().into_iter().map(history).collect();
    let model = model(name).unwrap().purchases(&PURCHASES).unwrap();
    let answers = || {
        histories
            .iter()
            .map(|history| question(model.as_ref(), history))
    };
    bencher
        .counter(ItemsCount::new(histories.len()))
        .bench_local(|| answers().sum::<f64>());
}

#[divan::bench(args = PURCHASE_MODELS)]
fn p_alive(bencher: Bencher, name: &str) {
    ask(bencher, name, |model, history| model.p_alive(history));
}

#[divan::bench(args = PURCHASE_MODELS)]
fn expected_purchases(bencher: Bencher, name: &str) {
    ask(bencher, name, |model, history| {
        model.expected_purchases(history, 365.0)
    });
}

#[divan::bench(args = PURCHASE_MODELS)]
fn discounted_purchases(bencher: Bencher, name: &str) {
    ask(bencher, name, |model, history| {
        model.discounted_purchases(history, Some(365.0), 2.6e-4)
    });
}

#[divan::bench(args = PURCHASE_MODELS)]
fn log_likelihood(bencher: Bencher, name: &str) {
    ask(bencher, name, |model, history| {
        model.log_likelihood(history)
    });
}
