//! What sums of money are kept in: units of a decimal, or doubles.

use std::fmt::Debug;

use datafusion_common::Result;
use datafusion_common::arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion_common::arrow::compute::{CastOptions, cast_with_options};
use datafusion_common::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Float64Type,
};
use loyalake_core::sum::{CompensatedSum, Total};

/// How a total becomes Arrow columns, and back.
pub(super) trait Money: Clone + Debug + Send + Sync + 'static {
    /// The total.
    type Total: Total + Debug + Send + Sync + 'static;
    /// The type of its columns.
    type Arrow: ArrowPrimitiveType;
    /// The number of its columns.
    const PARTS: usize;

    /// The type of values and of a total's columns.
    fn data_type(&self) -> DataType;
    /// A value as a total; `None` when it is not a finite number.
    fn total(value: Native<Self>) -> Option<Self::Total>;
    /// The total that was written as `parts`.
    fn from_parts(parts: &[Native<Self>]) -> Self::Total;
    /// A total's column.
    fn part(total: Self::Total, part: usize) -> Native<Self>;
    /// A total as a double.
    fn to_f64(&self, total: Self::Total) -> f64;
    /// A total as one value; `None` when its type has no room for it.
    fn exact(total: Self::Total) -> Option<Native<Self>>;

    /// A column of values; a decimal that does not fit is an error, for NULL would lose money
    /// silently.
    fn values(&self, array: &ArrayRef) -> Result<PrimitiveArray<Self::Arrow>> {
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let values = cast_with_options(array, &self.data_type(), &options)?;
        Ok(values.as_primitive::<Self::Arrow>().clone())
    }
}

/// One element of a column.
pub(super) type Native<M> = <<M as Money>::Arrow as ArrowPrimitiveType>::Native;

/// The scale to sum decimals and whole numbers with; `None` for floats.
pub(super) fn decimal_scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        DataType::Dictionary(_, value) => decimal_scale(value),
        _ if data_type.is_integer() => Some(0),
        _ => None,
    }
}

/// Decimals and whole numbers.
#[derive(Debug, Clone)]
pub(super) struct Decimals {
    /// Digits after the point.
    pub(super) scale: i8,
}

impl Money for Decimals {
    type Total = i128;
    type Arrow = Decimal128Type;
    const PARTS: usize = 1;

    fn data_type(&self) -> DataType {
        DataType::Decimal128(DECIMAL128_MAX_PRECISION, self.scale)
    }

    fn total(value: i128) -> Option<i128> {
        Some(value)
    }

    fn from_parts(parts: &[i128]) -> i128 {
        parts[0]
    }

    fn part(total: i128, _: usize) -> i128 {
        total
    }

    fn to_f64(&self, total: i128) -> f64 {
        total as f64 / 10.0_f64.powi(i32::from(self.scale))
    }

    fn exact(total: i128) -> Option<i128> {
        Decimal128Type::is_valid_decimal_precision(total, DECIMAL128_MAX_PRECISION).then_some(total)
    }
}

/// Floats of any width.
#[derive(Debug, Clone)]
pub(super) struct Doubles;

impl Money for Doubles {
    type Total = CompensatedSum;
    type Arrow = Float64Type;
    const PARTS: usize = 2;

    fn data_type(&self) -> DataType {
        DataType::Float64
    }

    fn total(value: f64) -> Option<CompensatedSum> {
        value.is_finite().then(|| value.into())
    }

    fn from_parts(parts: &[f64]) -> CompensatedSum {
        CompensatedSum {
            high: parts[0],
            low: parts[1],
        }
    }

    fn part(total: CompensatedSum, part: usize) -> f64 {
        if part == 0 { total.high } else { total.low }
    }

    fn to_f64(&self, total: CompensatedSum) -> f64 {
        total.value()
    }

    fn exact(total: CompensatedSum) -> Option<f64> {
        Some(total.value())
    }
}
