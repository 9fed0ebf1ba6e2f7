//! The histories of many customers as Arrow columns.

use std::ops::Range;
use std::sync::Arc;

use datafusion_common::Result;
use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Date32Builder, Float64Builder,
    Int32Builder, Int64Builder, ListArray, ListBuilder, PrimitiveArray, PrimitiveBuilder,
    StructArray, UInt32Array, UInt32Builder,
};
use datafusion_common::arrow::datatypes::{ArrowNativeType, Int32Type};
use datafusion_expr::{EmitTo, GroupsAccumulator};
use loyalake_core::Error;
use loyalake_core::rfm::purchase_history::{
    FETCHED_TOGETHER, GroupState, PurchaseHistories, PurchaseHistory as History, TakenHistories,
};
use loyalake_core::sum::Total;

use super::money::{Money, Native};
use super::{PARAMETERS, function_error, result_fields};
use crate::args::{date32, state_column};

/// One state for all groups of an aggregation.
#[derive(Debug, Clone)]
pub(super) struct HistoryGroups<M: Money> {
    money: M,
    histories: PurchaseHistories<M::Total>,
    holdout_days: Option<i32>,
}

/// The arguments as columns of one type each.
struct Purchases<M: Money> {
    days: Date32Array,
    values: PrimitiveArray<M::Arrow>,
    as_of_dates: Date32Array,
}

impl<M: Money> Purchases<M> {
    fn decode(money: &M, columns: &[ArrayRef]) -> Result<Self> {
        Ok(Self {
            days: date32(&columns[0])?,
            values: money.values(&columns[1])?,
            as_of_dates: date32(&columns[2])?,
        })
    }

    /// Day, value and `as_of_date` of a row that counts.
    fn get(&self, row: usize, filter: Option<&BooleanArray>) -> Option<(i32, M::Total, i32)> {
        let is_wanted = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let is_known =
            self.days.is_valid(row) && self.values.is_valid(row) && self.as_of_dates.is_valid(row);
        if !(is_wanted && is_known) {
            return None;
        }
        let (day, as_of) = (self.days.value(row), self.as_of_dates.value(row));
        let value = M::total(self.values.value(row))?;
        (day <= as_of).then_some((day, value, as_of))
    }
}

impl<M: Money> HistoryGroups<M> {
    /// No groups yet.
    pub(super) fn new(money: M, holdout_days: Option<i32>) -> Self {
        Self {
            money,
            histories: PurchaseHistories::new(),
            holdout_days,
        }
    }

    /// One group without purchases.
    pub(super) fn of_one(money: M, holdout_days: Option<i32>) -> Result<Self> {
        let mut groups = Self::new(money, holdout_days);
        groups.grow(1)?;
        Ok(groups)
    }

    fn grow(&mut self, groups: usize) -> Result<()> {
        self.histories
            .grow(groups)
            .map_err(|error| function_error(&error))
    }

    fn take(&mut self, emit_to: EmitTo) -> TakenHistories<M::Total> {
        self.histories.take(match emit_to {
            EmitTo::All => usize::MAX,
            EmitTo::First(groups) => groups,
        })
    }

    fn state_columns<'a>(
        &self,
        groups: impl Iterator<Item = Option<GroupState<'a, M::Total>>>,
    ) -> Vec<ArrayRef> {
        let mut days = ListBuilder::new(Int32Builder::new());
        let mut as_of_dates = Date32Builder::new();
        let mut purchases = UInt32Builder::new();
        let part = || PrimitiveBuilder::<M::Arrow>::new().with_data_type(self.money.data_type());
        let mut parts: Vec<_> = (0..2 * M::PARTS).map(|_| part()).collect();
        for group in groups {
            days.append_option(group.map(|group| group.days.iter().copied().map(Some)));
            as_of_dates.append_option(group.map(|group| group.as_of));
            purchases.append_option(group.map(|group| group.purchases));
            for part in 0..M::PARTS {
                parts[part].append_option(group.map(|group| M::part(group.total, part)));
                parts[M::PARTS + part]
                    .append_option(group.map(|group| M::part(group.first_value, part)));
            }
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(days.finish()),
            Arc::new(as_of_dates.finish()),
            Arc::new(purchases.finish()),
        ];
        columns.extend(
            parts
                .iter_mut()
                .map(|part| Arc::new(part.finish()) as ArrayRef),
        );
        columns
    }
}

impl<M: Money> GroupsAccumulator for HistoryGroups<M> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups)?;
        let purchases = Purchases::decode(&self.money, values)?;
        for (block, groups) in group_indices.chunks(FETCHED_TOGETHER).enumerate() {
            self.histories.fetch(groups);
            for (row, group) in groups.iter().enumerate() {
                let row = block * FETCHED_TOGETHER + row;
                if let Some((day, value, as_of)) = purchases.get(row, opt_filter) {
                    let updated = self.histories.update(*group, day, value, as_of);
                    updated.map_err(|error| function_error(&error))?;
                }
            }
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups)?;
        let function = PARAMETERS.function();
        let days: &ListArray = state_column(function, values, 0)?;
        let as_of_dates: &Date32Array = state_column(function, values, 1)?;
        let purchases: &UInt32Array = state_column(function, values, 2)?;
        let parts = (3..3 + 2 * M::PARTS)
            .map(|position| state_column::<PrimitiveArray<M::Arrow>>(function, values, position))
            .collect::<Result<Vec<_>>>()?;
        let all_days = days.values().as_primitive::<Int32Type>().values();
        let mut row_parts: Vec<Native<M>> = Vec::with_capacity(parts.len());
        for (row, group) in group_indices.iter().enumerate() {
            if days.is_null(row) {
                continue;
            }
            row_parts.clear();
            row_parts.extend(parts.iter().map(|part| part.value(row)));
            let (total, first_value) = row_parts.split_at(M::PARTS);
            let state = GroupState {
                days: &all_days[range(days, row)],
                total: M::from_parts(total),
                first_value: M::from_parts(first_value),
                purchases: purchases.value(row),
                as_of: as_of_dates.value(row),
            };
            self.histories
                .merge(*group, &state)
                .map_err(|error| function_error(&error))?;
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let taken = self.take(emit_to);
        Ok(self.state_columns((0..taken.len()).map(|group| taken.state(group))))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let purchases = Purchases::decode(&self.money, values)?;
        let days = purchases.days.values();
        Ok(self.state_columns((0..days.len()).map(|row| {
            let (_, value, as_of) = purchases.get(row, opt_filter)?;
            let days = &days[row..=row];
            Some(GroupState {
                days,
                total: value,
                first_value: value,
                purchases: 1,
                as_of,
            })
        })))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let taken = self.take(emit_to);
        let mut columns = ResultColumns::new(&self.money, taken.len());
        let mut holdout = self.holdout_days.map(HoldoutColumns::new);
        for group in 0..taken.len() {
            let state = taken.state(group);
            let history =
                |state: &GroupState<'_, _>| state.finish(|total| self.money.to_f64(total));
            let total = state.as_ref().map(|state| state.total);
            columns.append(state.as_ref().and_then(history), total)?;
            if let Some(holdout) = &mut holdout {
                holdout.append(state.as_ref());
            }
        }
        columns.finish(&self.money, holdout)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.histories.heap_size()
    }
}

/// Where the days of a row lie.
fn range(days: &ListArray, row: usize) -> Range<usize> {
    let offsets = days.value_offsets();
    offsets[row].as_usize()..offsets[row + 1].as_usize()
}

/// The result, column by column.
struct ResultColumns<M: Money> {
    purchase_days: Int64Builder,
    repeat_purchases: Int64Builder,
    first_purchase_on: Date32Builder,
    last_purchase_on: Date32Builder,
    recency_days: Int64Builder,
    age_days: Int64Builder,
    days_since_last_purchase: Int64Builder,
    total_value: Float64Builder,
    mean_value: Float64Builder,
    mean_repeat_value: Float64Builder,
    purchases: Int64Builder,
    exact_total: PrimitiveBuilder<M::Arrow>,
    is_known: Vec<bool>,
}

impl<M: Money> ResultColumns<M> {
    /// Room for so many groups.
    fn new(money: &M, groups: usize) -> Self {
        let days = || Int64Builder::with_capacity(groups);
        let dates = || Date32Builder::with_capacity(groups);
        let values = || Float64Builder::with_capacity(groups);
        let exact = PrimitiveBuilder::with_capacity(groups);
        Self {
            purchase_days: days(),
            repeat_purchases: days(),
            first_purchase_on: dates(),
            last_purchase_on: dates(),
            recency_days: days(),
            age_days: days(),
            days_since_last_purchase: days(),
            total_value: values(),
            mean_value: values(),
            mean_repeat_value: values(),
            purchases: Int64Builder::with_capacity(groups),
            exact_total: exact.with_data_type(money.data_type()),
            is_known: Vec::with_capacity(groups),
        }
    }

    fn append(&mut self, history: Option<History>, total: Option<M::Total>) -> Result<()> {
        let history = history.as_ref();
        self.purchase_days
            .append_option(history.map(|h| h.purchase_days));
        self.repeat_purchases
            .append_option(history.map(History::repeat_purchases));
        self.first_purchase_on
            .append_option(history.map(|h| h.first_purchase_on));
        self.last_purchase_on
            .append_option(history.map(|h| h.last_purchase_on));
        self.recency_days
            .append_option(history.map(History::recency_days));
        self.age_days.append_option(history.map(|h| h.age_days));
        self.days_since_last_purchase
            .append_option(history.map(History::days_since_last_purchase));
        self.total_value
            .append_option(history.map(|h| h.total_value));
        self.mean_value
            .append_option(history.map(History::mean_value));
        self.mean_repeat_value
            .append_option(history.and_then(|h| h.mean_repeat_value));
        self.purchases.append_option(history.map(|h| h.purchases));
        let overflow = || function_error(&Error::TotalOverflow);
        let exact = total.map(|total| M::exact(total).ok_or_else(overflow));
        self.exact_total.append_option(exact.transpose()?);
        self.is_known.push(history.is_some());
        Ok(())
    }

    fn finish(mut self, money: &M, holdout: Option<HoldoutColumns>) -> Result<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.purchase_days.finish()),
            Arc::new(self.repeat_purchases.finish()),
            Arc::new(self.first_purchase_on.finish()),
            Arc::new(self.last_purchase_on.finish()),
            Arc::new(self.recency_days.finish()),
            Arc::new(self.age_days.finish()),
            Arc::new(self.days_since_last_purchase.finish()),
            Arc::new(self.total_value.finish()),
            Arc::new(self.mean_value.finish()),
            Arc::new(self.mean_repeat_value.finish()),
            Arc::new(self.purchases.finish()),
            Arc::new(self.exact_total.finish()),
        ];
        let fields = result_fields(money.data_type(), holdout.is_some());
        columns.extend(holdout.into_iter().flat_map(HoldoutColumns::finish));
        let is_known = Some(self.is_known.into());
        Ok(Arc::new(StructArray::try_new(fields, columns, is_known)?))
    }
}

/// What the result has with `holdout_days`.
struct HoldoutColumns {
    holdout_days: i32,
    previous_purchase_on: Date32Builder,
    purchase_months: ListBuilder<Int64Builder>,
    calibration_purchase_days: Int64Builder,
    calibration_last_purchase_on: Date32Builder,
}

impl HoldoutColumns {
    fn new(holdout_days: i32) -> Self {
        Self {
            holdout_days,
            previous_purchase_on: Date32Builder::new(),
            purchase_months: ListBuilder::new(Int64Builder::new()),
            calibration_purchase_days: Int64Builder::new(),
            calibration_last_purchase_on: Date32Builder::new(),
        }
    }

    fn append<T: Total>(&mut self, state: Option<&GroupState<'_, T>>) {
        let days = state.map(|state| state.calibration_days(self.holdout_days));
        self.previous_purchase_on
            .append_option(state.and_then(GroupState::previous_purchase_on));
        self.purchase_months
            .append_option(state.map(|state| state.purchase_months().map(Some)));
        self.calibration_purchase_days
            .append_option(days.and_then(|days| i64::try_from(days.len()).ok()));
        self.calibration_last_purchase_on
            .append_option(days.and_then(|days| days.last().copied()));
    }

    fn finish(mut self) -> [ArrayRef; 4] {
        [
            Arc::new(self.previous_purchase_on.finish()),
            Arc::new(self.purchase_months.finish()),
            Arc::new(self.calibration_purchase_days.finish()),
            Arc::new(self.calibration_last_purchase_on.finish()),
        ]
    }
}
