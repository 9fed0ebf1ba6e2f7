//! How fast models are fitted and asked: `cargo bench -p loyalake-core --bench btyd`.
//!
//! The comparison with other libraries is in `examples/benchmark`.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use loyalake_core::btyd::gamma_gamma::GammaGamma;
use loyalake_core::btyd::simulate::Shop;
use loyalake_core::btyd::{
    Collapsed, Fit, History, PurchaseModel, Spend, ValueScorer, bg_bb, bg_nbd, gamma_gamma,
    mbg_nbd, model, pareto_nbd, sbg,
};

const CUSTOMERS: u64 = 100_000;
const DAYS: f64 = 730.0;
const PURCHASES: [f64; 4] = [0.8, 60.0, 0.8, 4.0];
/// What Pareto/NBD fitted to such customers finds.
const PARETO_NBD: [f64; 4] = [1.34, 116.0, 2.15, 1170.0];
const SPEND: [f64; 3] = [6.25, 3.74, 15.44];
const PURCHASE_MODELS: [&str; 3] = ["bg_nbd", "mbg_nbd", "pareto_nbd"];

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
        let (first, repeats) = (purchases[0], &purchases[1..]);
        let last = repeats.last().unwrap_or(&first);
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
    collapsed.settle();
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

fn fit<const N: usize>(
    bencher: Bencher,
    fit: fn(Collapsed<N>) -> Fit,
    rows: impl Iterator<Item = [f64; N]>,
) {
    let collapsed = collapse(rows);
    bencher
        .counter(ItemsCount::new(CUSTOMERS))
        .with_inputs(|| collapsed.clone())
        .bench_local_values(fit);
}

#[divan::bench]
fn bg_nbd_fit(bencher: Bencher) {
    fit(bencher, bg_nbd::fit, rows().into_iter());
}

#[divan::bench]
fn mbg_nbd_fit(bencher: Bencher) {
    fit(bencher, mbg_nbd::fit, rows().into_iter());
}

#[divan::bench]
fn pareto_nbd_fit(bencher: Bencher) {
    fit(bencher, pareto_nbd::fit, rows().into_iter());
}

/// At most one purchase a month counts.
#[divan::bench]
fn bg_bb_fit(bencher: Bencher) {
    let by_month = |[x, recency, age]: [f64; 3]| {
        let [last, months] = [recency, age].map(|days| (days / 30.0).floor());
        [x.min(last), last, months]
    };
    fit(bencher, bg_bb::fit, rows().into_iter().map(by_month));
}

/// Three months without a purchase end a contract.
#[divan::bench]
fn sbg_fit(bencher: Bencher) {
    let contract = |[_, recency, age]: [f64; 3]| {
        let has_ended = age - recency > 90.0;
        let months = (recency / 30.0).ceil().max(1.0);
        [months, if has_ended { 1.0 } else { 0.0 }]
    };
    fit(bencher, sbg::fit, rows().into_iter().map(contract));
}

#[divan::bench]
fn gamma_gamma_fit(bencher: Bencher) {
    let customers = customers().into_iter();
    let repeaters = customers.filter(|([x, ..], _)| *x > 0.0);
    let spending = repeaters.map(|([x, ..], value)| [x, value / x]);
    fit(bencher, gamma_gamma::fit, spending);
}

/// The sum over all customers of what a model says of each.
fn ask(bencher: Bencher, name: &str, question: impl Fn(&dyn PurchaseModel, &History) -> f64) {
    let history = |[x, t_x, age]: [f64; 3]| History::try_new(x, t_x, age);
    let histories: Vec<History> = rows().into_iter().filter_map(history).collect();
    let Ok(model) = model(name).and_then(|model| model.purchases(parameters(name))) else {
        return; // a row without figures
    };
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

/// Both ends of the interval that holds the value of a year in 80 % of the cases.
#[divan::bench(args = PURCHASE_MODELS)]
fn value_quantiles(bencher: Bencher, name: &str) {
    let customer = |([x, t_x, age], value): ([f64; 3], f64)| {
        let history = History::try_new(x, t_x, age)?;
        Some((history, Spend::try_new(x, value / x)))
    };
    let customers: Vec<_> = customers().into_iter().filter_map(customer).collect();
    let model = model(name).and_then(|model| model.purchases(parameters(name)));
    let (Ok(model), Ok(spending)) = (model, GammaGamma::try_new(&SPEND)) else {
        return; // a row without figures
    };
    let model: Arc<dyn PurchaseModel> = model.into();
    let interval = |scorer: &mut ValueScorer, (history, spend): &(History, Option<Spend>)| {
        [0.1, 0.9].map(|q| scorer.quantile(history, spend.as_ref(), q))
    };
    bencher
        .counter(ItemsCount::new(customers.len()))
        .with_inputs(|| ValueScorer::new(Arc::clone(&model), spending, 365.0))
        .bench_local_values(|mut scorer| {
            let intervals = customers
                .iter()
                .map(|customer| interval(&mut scorer, customer));
            intervals.map(|[low, high]| high - low).sum::<f64>()
        });
}

/// Of the models in [`PURCHASE_MODELS`].
fn parameters(name: &str) -> &[f64] {
    match name {
        "pareto_nbd" => &PARETO_NBD,
        _ => &PURCHASES,
    }
}
