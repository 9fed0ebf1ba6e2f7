//! Making what a source holds keep its contract.
//!
//! [`Contract::conform`] turns whatever a staging file returns into exactly the contract's columns,
//! in its types, and adds what is wrong with a row: `broken_rule` and `broken_detail`, both NULL
//! for a good row. No row is dropped here: the SQL that reads them decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result as QueryResult;
use datafusion::execution::context::SessionState;
use datafusion::functions::expr_fn::{coalesce, concat, contains, left, octet_length};
use datafusion::logical_expr::{Case, Expr, LogicalPlan, LogicalPlanBuilder, lit, try_cast, when};
use loyalake_lake::source::{FILE_COLUMN, ROW_COLUMN};
use loyalake_lake::type_name;

use crate::contract::{Contract, ContractColumn};
use crate::{JobsError, Result};

/// The columns that tell what is wrong with a row.
const BROKEN: [&str; 2] = ["broken_rule", "broken_detail"];

/// Characters of an offending value that are kept.
const LONGEST_DETAIL: i64 = 200;

/// Days before and after 1970 that the calendar of dates in words has, at least.
const LAST_DAY: i64 = 95_000_000;

/// Prefix of a column's value as the source has it.
const RAW: &str = "raw.";

/// How the columns of a source may be read.
#[derive(Debug, Clone)]
pub(crate) struct Reading<'a> {
    /// The zone of timestamps that have none.
    pub(crate) time_zone: &'a str,
    /// Whether numbers and dates may come as text, as in CSV.
    pub(crate) from_text: bool,
    /// Types of key columns, by name.
    pub(crate) keys: &'a BTreeMap<String, DataType>,
}

impl Contract {
    /// The contract's columns, cast, with what is wrong with each row. `location` is for messages.
    ///
    /// # Errors
    /// [`JobsError::Contract`] for a missing column or one of a wrong type.
    pub(crate) fn conform(
        &self,
        plan: LogicalPlan,
        reading: &Reading<'_>,
        location: &str,
        state: &SessionState,
    ) -> Result<LogicalPlan> {
        let schema = Arc::clone(plan.schema());
        let mut missing = Vec::new();
        let mut values = Vec::new();
        for column in &self.columns {
            match schema.field_with_unqualified_name(&column.name) {
                Ok(field) if column.accepts(field.data_type(), reading.from_text) => {
                    values.push(raw_and_cast(column, Some(field), reading));
                }
                Ok(field) => return Err(self.wrong_type(column, field, location)),
                // of JSON without a record the columns are unknown
                Err(_) if column.is_required && !is_empty(&schema) => {
                    missing.push(column.name.as_str());
                }
                Err(_) => values.push(raw_and_cast(column, None, reading)),
            }
        }
        if !missing.is_empty() {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            let found: Vec<&str> = names
                .filter(|name| ![FILE_COLUMN, ROW_COLUMN].contains(name))
                .collect();
            let (columns, are) = match missing.len() {
                1 => ("column", "is"),
                _ => ("columns", "are"),
            };
            let message = format!(
                "{columns} '{}' {are} missing; found {}; supply it, or map the source in \
                sql/staging/stg_{}.sql",
                missing.join("', '"),
                found.join(", "),
                self.name
            );
            return Err(self.error(location, message));
        }
        let places = [FILE_COLUMN, ROW_COLUMN].map(|column| (column, name(column)));
        let places = places
            .into_iter()
            .filter(|(column, _)| schema.has_column_with_unqualified_name(column))
            .map(|(column, value)| value.alias(format!("{RAW}{column}")));
        let values = values.into_iter().flatten().chain(places);
        self.project(plan, values.collect(), reading, state)
            .map_err(|error| self.error(location, error.to_string()))
    }

    /// Three steps: cast; find the first broken rule; say its value.
    fn project(
        &self,
        plan: LogicalPlan,
        values: Vec<Expr>,
        reading: &Reading<'_>,
        state: &SessionState,
    ) -> QueryResult<LogicalPlan> {
        let cast = LogicalPlanBuilder::from(plan).project(values)?.build()?;
        let rules = self.rules(&cast, reading, state)?;
        let columns = || self.columns.iter().map(|column| name(&column.name));
        let null = lit(ScalarValue::Utf8View(None));
        let pairs = |rule: &Rule| {
            let name = Box::new(lit(rule.name.clone()));
            (Box::new(rule.is_broken.clone()), name)
        };
        let rule = Expr::Case(Case::new(None, rules.iter().map(pairs).collect(), None));
        let pairs = |rule: &Rule| {
            let text = left(rule.detail.clone(), lit(LONGEST_DETAIL));
            (Box::new(lit(rule.name.clone())), Box::new(text))
        };
        let of_rule = Some(Box::new(name(BROKEN[0])));
        let detail = Expr::Case(Case::new(of_rule, rules.iter().map(pairs).collect(), None));
        let rule = try_cast(rule, DataType::Utf8View);
        let every = cast
            .schema()
            .columns()
            .into_iter()
            .map(|column| name(&column.name));
        let found = LogicalPlanBuilder::from(cast.clone())
            .project(every.chain([rule.alias(BROKEN[0])]).collect::<Vec<_>>())?;
        // most rows are good: only the others are looked at again
        let detail = when(name(BROKEN[0]).is_null(), null).otherwise(detail)?;
        found
            .project(
                columns()
                    .chain([name(BROKEN[0]), detail.alias(BROKEN[1])])
                    .collect::<Vec<_>>(),
            )?
            .build()
    }

    /// Every rule, in the order in which they are looked at.
    fn rules(
        &self,
        cast: &LogicalPlan,
        reading: &Reading<'_>,
        state: &SessionState,
    ) -> QueryResult<Vec<Rule>> {
        let has = |column: &str| cast.schema().has_column_with_unqualified_name(column);
        let place = place(has);
        let mut rules = Vec::new();
        for column in &self.columns {
            let raw_name = format!("{RAW}{}", column.name);
            let has_raw = has(&raw_name);
            let source_name = if has_raw { &raw_name } else { &column.name };
            let source = name(source_name);
            let found = cast.schema().field_with_unqualified_name(source_name)?;
            let text = text_of(&source, found.data_type())?;
            let value = name(&column.name);
            let mut add = |suffix: &str, is_broken: Expr| {
                rules.push(Rule {
                    name: format!("{}_{suffix}", column.name),
                    is_broken,
                    detail: text.clone(),
                });
            };
            let target = column.type_with(reading.keys);
            if has_raw {
                let is_lost = source.clone().is_not_null().and(value.clone().is_null());
                add(&format!("is_{}", type_name(&target)), is_lost);
            }
            match &target {
                DataType::Utf8View => {
                    let length = octet_length(value.clone());
                    add("too_long", length.gt(lit(column.longest_bytes())));
                    add("has_null_byte", contains(value.clone(), lit("\0")));
                }
                DataType::Float64 => {
                    let difference = value.clone() - value.clone();
                    add("is_finite", difference.not_eq(lit(0.0)));
                }
                DataType::Timestamp(..) | DataType::Date32 => {
                    let low = try_cast(lit("1900-01-01"), target.clone());
                    let high = try_cast(lit("2201-01-01"), target.clone());
                    add("in_range", value.clone().lt(low).or(value.gt_eq(high)));
                }
                _ => {}
            }
            for check in &column.checks {
                let holds = state.create_logical_expr(check, cast.schema())?;
                add("check", holds.is_false());
            }
            if column.is_required {
                let rule = Rule {
                    name: format!("{}_not_null", column.name),
                    is_broken: source.is_null(),
                    detail: place.clone(),
                };
                rules.push(rule);
            }
        }
        Ok(rules)
    }

    fn wrong_type(&self, column: &ContractColumn, field: &Field, location: &str) -> JobsError {
        let message = format!(
            "column '{}' must be {}, but is {}; cast it in sql/staging/stg_{}.sql",
            column.name,
            type_name(&column.data_type),
            type_name(field.data_type()),
            self.name
        );
        self.error(location, message)
    }

    fn error(&self, location: &str, message: String) -> JobsError {
        JobsError::Contract {
            source_name: self.name.clone(),
            location: location.to_owned(),
            message,
        }
    }
}

/// What a row must not be.
struct Rule {
    name: String,
    is_broken: Expr,
    /// What shows how a row breaks it.
    detail: Expr,
}

/// A value in words. Of an instant that no calendar has it is the number that stands for it.
fn text_of(value: &Expr, found: &DataType) -> QueryResult<Expr> {
    let text = |value: &Expr| try_cast(value.clone(), DataType::Utf8View);
    let (number, day) = match found {
        DataType::Date32 => (DataType::Int32, 1),
        DataType::Timestamp(TimeUnit::Second, _) => (DataType::Int64, 86_400),
        DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => {
            (DataType::Int64, 86_400_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => (DataType::Int64, 86_400_000_000),
        _ => return Ok(text(value)),
    };
    let number = try_cast(value.clone(), number);
    let last = LAST_DAY * day;
    when(number.clone().between(lit(-last), lit(last)), text(value)).otherwise(text(&number))
}

/// Where a row is from, as far as the columns say it: what is left to find a row by that lacks a
/// value.
fn place(has: impl Fn(&str) -> bool) -> Expr {
    let [file, row] = [FILE_COLUMN, ROW_COLUMN].map(|column| format!("{RAW}{column}"));
    if !has(&file) || !has(&row) {
        return lit(ScalarValue::Utf8View(None));
    }
    let number = try_cast(name(&row) + lit(1_i64), DataType::Utf8View);
    concat(vec![
        try_cast(name(&file), DataType::Utf8View),
        lit(" row "),
        number,
    ])
}

/// Whether a source has no column of its own.
fn is_empty(schema: &DFSchema) -> bool {
    let mut names = schema.fields().iter().map(|field| field.name().as_str());
    names.all(|name| [FILE_COLUMN, ROW_COLUMN].contains(&name))
}

/// The column's value in the contract's type and, beside it, as the source has it.
fn raw_and_cast(
    column: &ContractColumn,
    found: Option<&FieldRef>,
    reading: &Reading<'_>,
) -> Vec<Expr> {
    let target = column.type_with(reading.keys);
    let raw_name = format!("{RAW}{}", column.name);
    let Some(field) = found else {
        return vec![try_cast(lit(ScalarValue::Null), target).alias(&column.name)];
    };
    let raw = Expr::Column(Column::from_name(&column.name));
    let value = convert(raw.clone(), field.data_type(), &target, reading.time_zone);
    if value == raw {
        return vec![raw];
    }
    vec![value.alias(&column.name), raw.alias(raw_name)]
}

/// A column by its exact name.
fn name(column: &str) -> Expr {
    Expr::Column(Column::from_name(column))
}

/// The value as the target type, NULL where it has none.
fn convert(raw: Expr, found: &DataType, target: &DataType, time_zone: &str) -> Expr {
    let is_local = matches!(found, DataType::Timestamp(_, None))
        || matches!(found, DataType::Date32 | DataType::Date64)
        || (matches!(
            found,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        ) && matches!(target, DataType::Timestamp(..)));
    if found == target {
        return raw;
    }
    if is_local && matches!(target, DataType::Timestamp(..)) {
        return local_time(raw, target, time_zone);
    }
    if matches!(found, DataType::Timestamp(_, Some(_))) && *target == DataType::Date32 {
        let local = DataType::Timestamp(TimeUnit::Microsecond, Some(time_zone.into()));
        return try_cast(try_cast(raw, local), target.clone());
    }
    if found.is_floating() && matches!(target, DataType::Decimal128(..)) {
        // 1.00005 is a little less in binary: first the digits that it was written with, then the
        // rounding, half away from zero
        return try_cast(try_cast(raw, DataType::Decimal128(38, 10)), target.clone());
    }
    try_cast(raw, target.clone())
}

/// An instant from a local time. One that the clocks skip or repeat is read an hour earlier and
/// moved back, which gives the later, respectively the first, of the possible instants.
fn local_time(raw: Expr, target: &DataType, time_zone: &str) -> Expr {
    let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some(time_zone.into()));
    let instant = |local: Expr| try_cast(try_cast(local, zoned.clone()), target.clone());
    if time_zone == "UTC" {
        return instant(raw);
    }
    let hour = || lit(ScalarValue::new_interval_mdn(0, 0, 3_600_000_000_000));
    let naive = try_cast(
        raw.clone(),
        DataType::Timestamp(TimeUnit::Microsecond, None),
    );
    coalesce(vec![instant(raw), instant(naive - hour()) + hour()])
}
