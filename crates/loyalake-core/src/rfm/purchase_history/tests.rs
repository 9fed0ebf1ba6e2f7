//! Histories of one and of many customers, however their purchases arrive.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::sum::CompensatedSum;

const AS_OF: i32 = 100;

fn histories(purchases: &[(usize, i32, i128)]) -> PurchaseHistories<i128> {
    let mut histories = PurchaseHistories::new();
    histories.grow(4).unwrap();
    for (group, day, value) in purchases {
        histories.update(*group, *day, *value, AS_OF).unwrap();
    }
    histories
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn finish(mut histories: PurchaseHistories<i128>) -> Vec<Option<PurchaseHistory>> {
    let taken = histories.take(usize::MAX);
    (0..taken.len())
        .map(|g| taken.state(g).and_then(|s| s.finish(|v| v as f64)))
        .collect()
}

fn one(purchases: &[(i32, i128)]) -> Option<PurchaseHistory> {
    let purchases: Vec<_> = purchases
        .iter()
        .map(|(day, value)| (0, *day, *value))
        .collect();
    finish(histories(&purchases))[0]
}

#[test]
fn several_purchases_of_a_day_are_one_occasion() {
    let history = one(&[(10, 5), (30, 7), (10, 6), (90, 8), (30, 1)]).unwrap();
    assert_eq!((history.purchase_days, history.repeat_purchases()), (3, 2));
    assert_eq!(
        (history.first_purchase_on, history.last_purchase_on),
        (10, 90)
    );
    assert_eq!((history.recency_days(), history.age_days), (80, 90));
    assert_eq!(
        (history.days_since_last_purchase(), history.purchases),
        (10, 5)
    );
    assert_eq!((history.total_value, history.mean_value()), (27.0, 9.0));
    assert_eq!(history.mean_repeat_value, Some(8.0));
}

#[test]
fn single_purchase_has_no_repeat_value() {
    let history = one(&[(-40, 5)]).unwrap();
    assert_eq!((history.repeat_purchases(), history.recency_days()), (0, 0));
    assert_eq!((history.age_days, history.mean_repeat_value), (140, None));
}

#[test]
fn purchases_after_the_date_change_nothing() {
    assert_eq!(one(&[(10, 5), (AS_OF + 1, 7)]), one(&[(10, 5)]));
    assert_eq!(one(&[(AS_OF + 1, 7)]), None);
    assert_eq!(one(&[(AS_OF, 7)]).map(|history| history.age_days), Some(0));
}

#[test]
fn overflow_is_an_error() {
    let mut histories = histories(&[(0, 1, i128::MAX)]);
    assert_eq!(histories.update(0, 2, 1, AS_OF), Err(Error::TotalOverflow));
    let taken = histories.take(1);
    let most = GroupState {
        total: 0,
        purchases: u32::MAX,
        ..taken.state(0).unwrap()
    };
    let mut others = self::histories(&[(1, 1, 1)]);
    assert_eq!(others.merge(0, &most), Ok(()));
    assert_eq!(others.update(0, 1, 1, AS_OF), Err(Error::TooManyPurchases));
}

#[test]
fn days_at_the_ends_of_the_calendar_keep_their_order() {
    let mut histories = PurchaseHistories::<CompensatedSum>::new();
    histories.grow(1).unwrap();
    for day in [i32::MAX, 0, i32::MIN, -1] {
        histories.update(0, day, 1.5.into(), i32::MAX).unwrap();
    }
    let taken = histories.take(1);
    let state = taken.state(0).unwrap();
    assert_eq!(state.days, [i32::MIN, -1, 0, i32::MAX]);
    let history = state.finish(CompensatedSum::value).unwrap();
    assert_eq!(history.age_days, i64::from(u32::MAX));
    assert_eq!(history.mean_repeat_value, Some(1.5));
}

#[test]
fn repeated_days_take_no_memory() {
    let mut histories = PurchaseHistories::<i128>::new();
    histories.grow(2).unwrap();
    for row in 0..1_000_000 {
        histories
            .update(row % 2, i32::try_from(row % 50).unwrap(), 1, AS_OF)
            .unwrap();
    }
    assert!(
        histories.heap_size() < 400_000,
        "{} bytes",
        histories.heap_size()
    );
}

#[test]
fn months_are_those_of_the_calendar() {
    // 1968-02-28, 1968-02-29, 1968-03-01, 1969-12-31, 1970-01-01, 1970-01-31, 1970-02-01,
    // 2000-02-29, 2000-03-01, 2100-02-28, 2100-03-01
    let days = [
        -673, -672, -671, -1, 0, 30, 31, 11_016, 11_017, 47_540, 47_541,
    ];
    let months = days.map(calendar_month);
    assert_eq!(months, [-23, -23, -22, -1, 0, 0, 1, 361, 362, 1561, 1562]);
    let mut histories = PurchaseHistories::<i128>::new();
    histories.grow(1).unwrap();
    for day in days {
        histories.update(0, day, 1, 50_000).unwrap();
    }
    let taken = histories.take(1);
    let found: Vec<i64> = taken.state(0).unwrap().purchase_months().collect();
    assert_eq!(found, [-23, -22, -1, 0, 1, 361, 362, 1561, 1562]);
}

#[test]
fn calibration_ends_before_the_holdout() {
    let taken = histories(&[(0, 60, 1), (0, 10, 1), (0, 61, 1)]).take(1);
    let state = taken.state(0).unwrap();
    assert_eq!(state.calibration_days(40), [10, 60]);
    assert_eq!(state.calibration_days(41), [10]);
    assert_eq!(state.calibration_days(0), state.days);
    assert_eq!(state.calibration_days(i32::MAX), []);
    assert_eq!(state.previous_purchase_on(), Some(60));
}

fn purchases() -> impl Strategy<Value = Vec<(usize, i32, i128)>> {
    prop::collection::vec((0_usize..4, 0_i32..120, -500_i128..500), 0..300)
}

proptest! {
    #[test]
    fn merging_in_any_order_equals_one_pass(all in purchases(), split in 0_usize..300) {
        let whole = finish(histories(&all));
        let (left, right) = all.split_at(split.min(all.len()));
        for (first, second) in [(left, right), (right, left)] {
            let mut merged = histories(first);
            let other = histories(second).take(usize::MAX);
            for group in 0..other.len() {
                if let Some(state) = other.state(group) {
                    merged.merge(group, &state).unwrap();
                }
            }
            prop_assert_eq!(&finish(merged), &whole);
        }
    }

    #[test]
    fn a_group_has_the_latest_of_its_dates(
        all in prop::collection::vec((0_usize..4, 0_i32..3), 0..40),
        split in 0_usize..40,
        first in 0_usize..5,
    ) {
        let of = |rows: &[(usize, i32)]| {
            let mut histories = PurchaseHistories::<i128>::new();
            histories.grow(4).unwrap();
            for (group, as_of) in rows {
                histories.update(*group, 0, 1, *as_of).unwrap();
            }
            histories
        };
        let (left, right) = all.split_at(split.min(all.len()));
        let (mut merged, other) = (of(left), of(right).take(usize::MAX));
        for group in 0..other.len() {
            if let Some(state) = other.state(group) {
                merged.merge(group, &state).unwrap();
            }
        }
        let taken = merged.take(first);
        let ages = (0..taken.len())
            .map(|g| taken.state(g).map(|state| (state.as_of, state.purchases)))
            .chain({
                let rest = merged.take(usize::MAX);
                let states = (0..rest.len()).map(|g| rest.state(g).map(|s| (s.as_of, s.purchases)));
                states.collect::<Vec<_>>()
            });
        for (group, found) in ages.enumerate() {
            let dates: Vec<i32> =
                all.iter().filter(|row| row.0 == group).map(|row| row.1).collect();
            let expected = dates.iter().max().map(|date| (*date, dates.len()));
            prop_assert_eq!(found.map(|(date, count)| (date, count as usize)), expected);
        }
    }

    #[test]
    fn taking_groups_in_parts_equals_taking_all(all in purchases(), first in 0_usize..5) {
        let mut parts = histories(&all);
        let taken = parts.take(first);
        prop_assert_eq!(taken.len() + parts.groups(), 4);
        let taken = (0..taken.len())
            .map(|g| taken.state(g).and_then(|s| s.finish(|v| v as f64)))
            .chain(finish(parts))
            .collect::<Vec<_>>();
        prop_assert_eq!(taken, finish(histories(&all)));
    }
}
