//! Purchase histories of many customers: days with a purchase, their span, and their value.
//!
//! Source: the customer summary of Fader, Hardie & Lee (2005), "Counting Your Customers the Easy
//! Way": all purchases of one day are one occasion.
//! Notation: a group is a customer; days count from any fixed day.
//!
//! The days of all customers share one array of (group, day) pairs in the order of their arrival: 8
//! bytes for a customer's day and no allocation for a customer. A day after all that the customer
//! has is a new one, the last one again is not. Any other may be known already: the array is freed
//! of duplicates when such days have made it half as long again.

mod calendar;
mod dates;
mod pair;

use std::hint::black_box;

use crate::error::{Error, Result};
use crate::sum::Total;
use calendar::calendar_month;
use dates::Dates;
use pair::{day_of, group_of, pair};

/// Fewer days than this that may be duplicates are not worth looking for.
const SMALLEST_BATCH: usize = 8192;

/// Rows whose customers are best fetched together: they fit into the nearest cache.
pub const FETCHED_TOGETHER: usize = 256;

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
    /// Purchases, of which a day may have several.
    pub purchases: i64,
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
    /// Apart, because few purchases are of the first day: what all need is 32 bytes a customer.
    first_values: Vec<T>,
    /// `pair(group, day)`.
    pairs: Vec<u64>,
    /// How many of them may be there twice.
    unsure: usize,
    as_of: Dates,
}

#[derive(Debug, Clone, Copy)]
struct Customer<T> {
    total: T,
    first_day: i32,
    last_day: i32,
    purchases: u32,
    /// Pairs of this group.
    pairs: u32,
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
    /// Number of values.
    pub purchases: u32,
    /// The date that the history describes.
    pub as_of: i32,
}

/// Groups taken out of [`PurchaseHistories`].
#[derive(Debug, Clone)]
pub struct TakenHistories<T> {
    customers: Vec<Customer<T>>,
    first_values: Vec<T>,
    days: Vec<i32>,
    ends: Vec<usize>,
    as_of: Dates,
}

impl<T: Total> PurchaseHistories<T> {
    /// No groups yet.
    pub fn new() -> Self {
        Self {
            customers: Vec::new(),
            first_values: Vec::new(),
            pairs: Vec::new(),
            unsure: 0,
            as_of: Dates::None,
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
            last_day: i32::MIN,
            purchases: 0,
            pairs: 0,
        };
        let groups = groups.max(self.customers.len());
        self.customers.resize(groups, nobody);
        self.first_values.resize(groups, T::default());
        Ok(())
    }

    /// Brings what is known about these groups into the processor's cache. They are all over the
    /// memory: reads that need nothing of each other wait together, updates one after the other.
    pub fn fetch(&self, groups: &[usize]) {
        let known = groups.iter().filter_map(|group| self.customers.get(*group));
        black_box(known.fold(0, |days, customer| days ^ customer.last_day));
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
                purchases: 1,
                as_of,
            },
        )
    }

    /// Adds what is known about the same customer from elsewhere.
    ///
    /// # Errors
    /// When the total leaves the range of its type, or the number of purchases has more than 32
    /// bits.
    pub fn merge(&mut self, group: usize, state: &GroupState<T>) -> Result<()> {
        let Some(&first_day) = state.days.first() else {
            return Ok(());
        };
        let is_known = || self.customers.iter().map(|customer| customer.purchases > 0);
        self.as_of.note(group, state.as_of, is_known);
        let customer = &mut self.customers[group];
        customer.total = customer
            .total
            .plus(state.total)
            .ok_or(Error::TotalOverflow)?;
        let purchases = customer.purchases.checked_add(state.purchases);
        customer.purchases = purchases.ok_or(Error::TooManyPurchases)?;
        if first_day < customer.first_day {
            customer.first_day = first_day;
            self.first_values[group] = state.first_value;
        } else if first_day == customer.first_day {
            let value = &mut self.first_values[group];
            *value = value.plus(state.first_value).ok_or(Error::TotalOverflow)?;
        }
        for &day in state.days {
            if customer.pairs == 0 || day > customer.last_day {
                customer.last_day = day;
            } else if day == customer.last_day {
                continue;
            } else {
                self.unsure += 1;
            }
            customer.pairs += 1;
            self.pairs.push(pair(group, day));
        }
        if self.unsure >= SMALLEST_BATCH.max(self.pairs.len() / 3) {
            self.settle();
        }
        Ok(())
    }

    /// Takes out the first `groups` groups; those that remain are numbered from 0 again.
    pub fn take(&mut self, groups: usize) -> TakenHistories<T> {
        let taken = groups.min(self.customers.len());
        let customers = take_first(&mut self.customers, taken);
        let first_values = take_first(&mut self.first_values, taken);
        let as_of = self.as_of.take(taken);
        let (days, ends) = distinct_days(&self.pairs, &customers);
        self.pairs.retain(|pair| group_of(*pair) >= taken);
        for pair in &mut self.pairs {
            *pair -= (taken as u64) << 32;
        }
        self.pairs.shrink_to(2 * self.pairs.len());
        self.unsure = self.unsure.min(self.pairs.len());
        TakenHistories {
            customers,
            first_values,
            days,
            ends,
            as_of,
        }
    }

    /// Groups held.
    pub fn groups(&self) -> usize {
        self.customers.len()
    }

    /// Memory held on the heap, in bytes.
    pub fn heap_size(&self) -> usize {
        self.customers.capacity() * size_of::<Customer<T>>()
            + self.first_values.capacity() * size_of::<T>()
            + self.pairs.capacity() * size_of::<u64>()
            + self.as_of.heap_size()
    }

    /// Frees the pairs of duplicates.
    fn settle(&mut self) {
        let (days, ends) = distinct_days(&self.pairs, &self.customers);
        self.pairs.clear();
        for (group, customer) in self.customers.iter_mut().enumerate() {
            let days = &days[self.pairs.len()..ends[group]];
            customer.pairs = u32::try_from(days.len()).unwrap_or(u32::MAX);
            self.pairs.extend(days.iter().map(|day| pair(group, *day)));
        }
        self.unsure = 0;
    }
}

fn take_first<T>(values: &mut Vec<T>, count: usize) -> Vec<T> {
    let remaining = values.split_off(count);
    std::mem::replace(values, remaining)
}

/// The days of each of the groups `customers`, ascending and distinct, and where each group's end.
fn distinct_days<T>(pairs: &[u64], customers: &[Customer<T>]) -> (Vec<i32>, Vec<usize>) {
    let mut end = 0;
    // first where the next day of each group goes, which is its end after the last one
    let mut ends: Vec<usize> = Vec::with_capacity(customers.len());
    for customer in customers {
        ends.push(end);
        end += customer.pairs as usize;
    }
    let mut days = vec![0; end];
    for pair in pairs {
        if let Some(place) = ends.get_mut(group_of(*pair)) {
            days[*place] = day_of(*pair);
            *place += 1;
        }
    }
    let (mut start, mut kept) = (0, 0);
    for end in &mut ends {
        let group = &mut days[start..*end];
        start = *end;
        if !group.is_sorted_by(|one, next| one < next) {
            group.sort_unstable();
        }
        let mut last = None;
        for index in start - group.len()..start {
            let day = days[index];
            if last != Some(day) {
                last = Some(day);
                days[kept] = day;
                kept += 1;
            }
        }
        *end = kept;
    }
    days.truncate(kept);
    (days, ends)
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
            total, purchases, ..
        } = self.customers[group];
        (!days.is_empty()).then_some(GroupState {
            days,
            total,
            first_value: self.first_values[group],
            purchases,
            as_of: self.as_of.of(group),
        })
    }
}

impl<T: Total> GroupState<'_, T> {
    /// The last day but one.
    pub fn previous_purchase_on(&self) -> Option<i32> {
        self.days.iter().rev().nth(1).copied()
    }

    /// The calendar months with a purchase, counted from January 1970, when days count from its
    /// first.
    pub fn purchase_months(&self) -> impl Iterator<Item = i64> {
        let mut last = None;
        self.days.iter().filter_map(move |day| {
            let month = calendar_month(*day);
            (last.replace(month) != Some(month)).then_some(month)
        })
    }

    /// The days up to the one `holdout_days` days before `as_of`.
    pub fn calibration_days(&self, holdout_days: i32) -> &[i32] {
        let end = i64::from(self.as_of) - i64::from(holdout_days);
        let days = self.days.partition_point(|day| i64::from(*day) <= end);
        &self.days[..days]
    }

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
            purchases: i64::from(self.purchases),
            total_value: to_f64(self.total),
            mean_repeat_value: (repeats > 0).then(|| repeat_value / repeats as f64),
        })
    }
}

#[cfg(test)]
mod tests;
