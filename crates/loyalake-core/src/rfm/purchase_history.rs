//! Purchase histories of many customers: days with a purchase, their span, and their value.
//!
//! Source: the customer summary of Fader, Hardie & Lee (2005), "Counting Your Customers the Easy
//! Way": all purchases of one day are one occasion.
//! Notation: a group is a customer; days count from any fixed day.
//!
//! The days of all customers share one array of (group, day) pairs, sorted and freed of duplicates
//! whenever it has doubled: 8 bytes for a customer's day and no allocation for a customer.

use crate::error::{Error, Result};
use crate::sum::Total;

/// Below this many pairs sorting is not worth it.
const SMALLEST_BATCH: usize = 8192;

/// What is known about one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PurchaseHistory {
    /// Days with a purchase.
    pub purchase_days: i64,
    /// The first of them.
    pub first_purchase_on: i32,
    /// The last of them.
    pub last_purchase_on: i32,
    /// Days from the first purchase to `as_of`.
    pub age_days: i64,
    /// Sum of all values.
    pub total_value: f64,
    /// Mean value of the purchase days after the first; `None` without any.
    pub mean_repeat_value: Option<f64>,
}

impl PurchaseHistory {
    /// Purchase days after the first (x).
    pub fn repeat_purchases(&self) -> i64 {
        self.purchase_days - 1
    }

    /// Days from the first to the last purchase (tₓ).
    pub fn recency_days(&self) -> i64 {
        i64::from(self.last_purchase_on) - i64::from(self.first_purchase_on)
    }

    /// Days from the last purchase to `as_of`.
    pub fn days_since_last_purchase(&self) -> i64 {
        self.age_days - self.recency_days()
    }

    /// Mean value of a purchase day.
    pub fn mean_value(&self) -> f64 {
        self.total_value / self.purchase_days as f64
    }
}

/// The histories of groups 0, 1, 2, …
#[derive(Debug, Clone, Default)]
pub struct PurchaseHistories<T> {
    customers: Vec<Customer<T>>,
    /// `pair(group, day)`, sorted and distinct up to `sorted`.
    pairs: Vec<u64>,
    sorted: usize,
}

#[derive(Debug, Clone, Copy)]
struct Customer<T> {
    total: T,
    first_day: i32,
    first_value: T,
    as_of: i32,
}

/// What is kept of one group, as `merge` takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupState<'a, T> {
    /// Ascending and distinct; not empty.
    pub days: &'a [i32],
    /// Sum of all values.
    pub total: T,
    /// Sum of the values of the first day.
    pub first_value: T,
    /// The date that the history describes.
    pub as_of: i32,
}

/// Groups taken out of [`PurchaseHistories`].
#[derive(Debug, Clone)]
pub struct TakenHistories<T> {
    customers: Vec<Customer<T>>,
    days: Vec<i32>,
    ends: Vec<usize>,
}

impl<T: Total> PurchaseHistories<T> {
    /// No groups yet.
    pub fn new() -> Self {
        Self {
            customers: Vec::new(),
            pairs: Vec::new(),
            sorted: 0,
        }
    }

    /// Makes room for groups 0 … `groups` − 1.
    ///
    /// # Errors
    /// When a group number needs more than 32 bits.
    pub fn grow(&mut self, groups: usize) -> Result<()> {
        if u32::try_from(groups).is_err() {
            return Err(Error::TooManyGroups { groups });
        }
        let nobody = Customer {
            total: T::default(),
            first_day: i32::MAX,
            first_value: T::default(),
            as_of: i32::MIN,
        };
        self.customers
            .resize(self.customers.len().max(groups), nobody);
        Ok(())
    }

    /// Adds a purchase; one after `as_of` changes nothing.
    ///
    /// `as_of` belongs to the query and is the same in all rows of a group; the latest one counts
    /// otherwise.
    ///
    /// # Errors
    /// When the total leaves the range of its type.
    pub fn update(&mut self, group: usize, day: i32, value: T, as_of: i32) -> Result<()> {
        if day > as_of {
            return Ok(());
        }
        let days = &[day];
        self.merge(
            group,
            &GroupState {
                days,
                total: value,
                first_value: value,
                as_of,
            },
        )
    }

    /// Adds what is known about the same customer from elsewhere.
    ///
    /// # Errors
    /// When the total leaves the range of its type.
    pub fn merge(&mut self, group: usize, state: &GroupState<T>) -> Result<()> {
        let Some(&first_day) = state.days.first() else {
            return Ok(());
        };
        let customer = &mut self.customers[group];
        customer.total = customer
            .total
            .plus(state.total)
            .ok_or(Error::TotalOverflow)?;
        customer.as_of = customer.as_of.max(state.as_of);
        if first_day < customer.first_day {
            customer.first_day = first_day;
            customer.first_value = state.first_value;
        } else if first_day == customer.first_day {
            customer.first_value = customer
                .first_value
                .plus(state.first_value)
                .ok_or(Error::TotalOverflow)?;
        }
        for day in state.days {
            let pair = pair(group, *day);
            if self.pairs.last() != Some(&pair) {
                self.pairs.push(pair);
            }
        }
        if self.pairs.len() >= 2 * self.sorted.max(SMALLEST_BATCH) {
            self.settle();
        }
        Ok(())
    }

    /// Takes out the first `groups` groups; those that remain are numbered from 0 again.
    pub fn take(&mut self, groups: usize) -> TakenHistories<T> {
        self.settle();
        let remaining = self.customers.split_off(groups.min(self.customers.len()));
        let customers = std::mem::replace(&mut self.customers, remaining);
        let after = self
            .pairs
            .partition_point(|pair| group_of(*pair) < customers.len());
        let mut days = Vec::with_capacity(after);
        let mut ends = vec![0; customers.len()];
        for pair in self.pairs.drain(..after) {
            days.push(day_of(pair));
            ends[group_of(pair)] = days.len();
        }
        // a group without days ends where the one before it does
        let mut end = 0;
        for group_end in &mut ends {
            end = end.max(*group_end);
            *group_end = end;
        }
        for pair in &mut self.pairs {
            *pair -= (customers.len() as u64) << 32;
        }
        self.pairs.shrink_to(2 * self.pairs.len());
        self.sorted = self.pairs.len();
        TakenHistories {
            customers,
            days,
            ends,
        }
    }

    /// Groups held.
    pub fn groups(&self) -> usize {
        self.customers.len()
    }

    /// Memory held on the heap, in bytes.
    pub fn heap_size(&self) -> usize {
        self.customers.capacity() * size_of::<Customer<T>>()
            + self.pairs.capacity() * size_of::<u64>()
    }

    fn settle(&mut self) {
        if self.sorted < self.pairs.len() {
            self.pairs.sort_unstable();
            self.pairs.dedup();
            self.sorted = self.pairs.len();
        }
    }
}

impl<T: Total> TakenHistories<T> {
    /// Number of groups.
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Whether there are no groups.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// What is kept of a group; `None` for one without purchases.
    pub fn state(&self, group: usize) -> Option<GroupState<'_, T>> {
        let start = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        let days = &self.days[start..self.ends[group]];
        let Customer {
            total,
            first_value,
            as_of,
            ..
        } = self.customers[group];
        (!days.is_empty()).then_some(GroupState {
            days,
            total,
            first_value,
            as_of,
        })
    }
}

impl<T: Total> GroupState<'_, T> {
    /// The history, with totals turned into doubles by `to_f64`; `None` without purchases.
    pub fn finish(&self, to_f64: impl Fn(T) -> f64) -> Option<PurchaseHistory> {
        let (first, last) = (*self.days.first()?, *self.days.last()?);
        let repeats = self.days.len() - 1;
        let repeat_value = to_f64(self.total.minus(self.first_value));
        Some(PurchaseHistory {
            purchase_days: i64::try_from(self.days.len()).ok()?,
            first_purchase_on: first,
            last_purchase_on: last,
            age_days: i64::from(self.as_of) - i64::from(first),
            total_value: to_f64(self.total),
            mean_repeat_value: (repeats > 0).then(|| repeat_value / repeats as f64),
        })
    }
}

/// Sorts by group, then by day.
fn pair(group: usize, day: i32) -> u64 {
    ((group as u64) << 32) | u64::from(day.cast_unsigned() ^ (1 << 31))
}

fn group_of(pair: u64) -> usize {
    (pair >> 32) as usize
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half has 32 bits"
)]
fn day_of(pair: u64) -> i32 {
    (pair as u32 ^ (1 << 31)).cast_signed()
}

#[cfg(test)]
mod tests;
