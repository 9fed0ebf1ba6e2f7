//! How fast orders become histories, and values cuts: `cargo bench -p loyalake-core --bench rfm`.
//!
//! Whole queries, beside other engines, are in `examples/benchmark`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use loyalake_core::rfm::purchase_history::{FETCHED_TOGETHER, PurchaseHistories};
use loyalake_core::rfm::quantile_cuts::quantile_cuts;
use loyalake_core::tally::Tally;

const ORDERS: usize = 5_000_000;
const CUSTOMERS: usize = 665_000;
const DAYS: usize = 730;
const AS_OF: i32 = 730;
/// Distinct values that a tally keeps apart.
const BUCKETS: usize = 262_144;

fn main() {
    divan::Divan::default()
        .sample_count(20)
        .config_with_args()
        .main();
}

/// Customer, day and value in cents of orders in the order of days, customers as they come.
fn orders() -> Vec<(usize, i32, i128)> {
    let order = |order: usize| {
        let customer = order.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17;
        let day = i32::try_from(order * DAYS / ORDERS).unwrap_or_default();
        (customer % CUSTOMERS, day, 100 + (order % 9000) as i128)
    };
    (0..ORDERS).map(order).collect()
}

fn histories(orders: &[(usize, i32, i128)]) -> PurchaseHistories<i128> {
    let mut histories = PurchaseHistories::new();
    assert!(histories.grow(CUSTOMERS).is_ok(), "few customers");
    for batch in orders.chunks(FETCHED_TOGETHER) {
        let customers: Vec<usize> = batch.iter().map(|order| order.0).collect();
        histories.fetch(&customers);
        for (customer, day, value) in batch {
            let updated = histories.update(*customer, *day, *value, AS_OF);
            assert!(updated.is_ok(), "small values");
        }
    }
    histories
}

/// Orders to histories, those of all customers at the end included.
#[divan::bench]
fn purchase_history(bencher: Bencher) {
    let orders = orders();
    bencher
        .counter(ItemsCount::new(ORDERS))
        .bench(|| histories(black_box(&orders)).take(CUSTOMERS));
}

/// The same from two halves of the orders, as two threads leave them.
#[divan::bench]
fn merge_purchase_histories(bencher: Bencher) {
    let orders = orders();
    let (early, late) = orders.split_at(ORDERS / 2);
    let halves = [early, late].map(|half| histories(half).take(CUSTOMERS));
    bencher.counter(ItemsCount::new(2 * CUSTOMERS)).bench(|| {
        let mut merged = PurchaseHistories::new();
        assert!(merged.grow(CUSTOMERS).is_ok(), "few customers");
        for half in &halves {
            for customer in 0..half.len() {
                if let Some(state) = half.state(customer) {
                    assert!(merged.merge(customer, &state).is_ok(), "small values");
                }
            }
        }
        merged.take(CUSTOMERS)
    });
}

/// Cut points of values of which each occurs often, and of values that are all different.
#[divan::bench(args = ["repeated", "distinct"])]
fn cuts(bencher: Bencher, values: &str) {
    let part = if values == "distinct" { 1.0 } else { 0.0 };
    let value = |(row, order): (usize, (usize, i32, i128))| {
        order.2 as f64 / 7.0 + part * row as f64 / ORDERS as f64
    };
    let values: Vec<f64> = orders().into_iter().enumerate().map(value).collect();
    bencher.counter(ItemsCount::new(ORDERS)).bench(|| {
        let mut tally = Tally::new(BUCKETS);
        for value in black_box(&values) {
            tally.update(*value, 1);
        }
        let (_, buckets) = tally.finish();
        quantile_cuts(&buckets, 5)
    });
}
