//! SQL arguments: checked while the query is planned, decoded while it runs.
//!
//! A function names its parameters once, in a [`Parameters`] constant. `signature` and `check` make
//! wrong arity and wrong types plan errors in one wording; the engine inserts no casts, so columns
//! arrive as they are stored and the `Column` decoders turn every width of a type into one.

use std::sync::Arc;

use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, ListArray,
    RecordBatch, StringViewArray,
};
use datafusion_common::arrow::compute::cast;
use datafusion_common::arrow::datatypes::{
    ArrowNativeType, DataType, Date32Type, Float64Type, Int64Type, Schema,
};
use datafusion_common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion_expr::{ColumnarValue, Expr, ScalarFunctionArgs, Signature, Volatility};

/// What may stand at a parameter.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// As the error message says it: "a number".
    pub(crate) expected: &'static str,
    /// Whether a column of this type can be decoded.
    pub(crate) accepts: fn(&DataType) -> bool,
}

/// Any width of integer or float, or a decimal.
pub(crate) const NUMBER: Kind = Kind {
    expected: "a number",
    accepts: is_number,
};
/// Any width of integer.
pub(crate) const WHOLE_NUMBER: Kind = Kind {
    expected: "a whole number",
    accepts: |t| t.is_integer() || t.is_null(),
};
/// Any type of string.
pub(crate) const TEXT: Kind = Kind {
    expected: "a string",
    accepts: is_text,
};
/// A date; a timestamp has to be cast, for that decides the time zone.
pub(crate) const DATE: Kind = Kind {
    expected: "a date",
    accepts: |t| matches!(t, DataType::Date32 | DataType::Date64 | DataType::Null),
};
/// True or false.
pub(crate) const BOOLEAN: Kind = Kind {
    expected: "a boolean",
    accepts: |t| matches!(t, DataType::Boolean | DataType::Null),
};
/// Any type of list with numbers in it.
pub(crate) const NUMBERS: Kind = Kind {
    expected: "a list of numbers",
    accepts: |t| t.is_null() || list_element(t).is_some_and(is_number),
};

/// The element type of any type of list.
pub(crate) fn list_element(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => Some(field.data_type()),
        _ => None,
    }
}

fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_number(value),
        _ => data_type.is_numeric() || data_type.is_null(),
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_text(value),
        _ => data_type.is_string() || data_type.is_null(),
    }
}

/// A function's name and parameters, the last ones possibly optional.
#[derive(Clone, Copy)]
pub(crate) struct Parameters {
    function: &'static str,
    named: &'static [(&'static str, Kind)],
    optional: usize,
}

impl Parameters {
    /// All parameters are required.
    pub(crate) const fn new(
        function: &'static str,
        named: &'static [(&'static str, Kind)],
    ) -> Self {
        Self {
            function,
            named,
            optional: 0,
        }
    }

    /// The last `optional` parameters may be left out.
    pub(crate) const fn with_optional(mut self, optional: usize) -> Self {
        self.optional = optional;
        self
    }

    /// The SQL name of the function.
    pub(crate) const fn function(&self) -> &'static str {
        self.function
    }

    /// A signature that knows the parameters' names and leaves all else to `check`: an error of the
    /// engine's own coercion would be wrapped in several lines of text.
    pub(crate) fn signature(&self) -> Signature {
        let names = self
            .named
            .iter()
            .map(|(name, _)| (*name).to_string())
            .collect();
        Signature {
            parameter_names: Some(names),
            ..Signature::user_defined(Volatility::Immutable)
        }
    }

    /// For `return_type`: number and types of the arguments.
    ///
    /// # Errors
    /// A plan error that names the argument and says what is expected.
    pub(crate) fn check(&self, types: &[DataType]) -> Result<()> {
        let (function, most) = (self.function, self.named.len());
        let least = most - self.optional;
        if types.len() < least || types.len() > most {
            let names: Vec<&str> = self.named.iter().map(|(name, _)| *name).collect();
            let (given, names) = (types.len(), names.join(", "));
            let needed = if least == most {
                format!("{most}")
            } else {
                format!("{least} to {most}")
            };
            return plan_err!(
                "{function}: {given} arguments given, but {needed} needed; \
                 write {function}({names})"
            );
        }
        for (position, (data_type, (name, kind))) in types.iter().zip(self.named).enumerate() {
            if !(kind.accepts)(data_type) {
                let (number, expected) = (position + 1, kind.expected);
                return plan_err!(
                    "{function}: argument {number} ({name}) must be {expected}, \
                     but is {data_type}; cast it or pass another column"
                );
            }
        }
        Ok(())
    }

    /// For an aggregate's `state_fields`, the place that sees `distinct` while the query is
    /// planned.
    ///
    /// # Errors
    /// A plan error for `distinct`.
    pub(crate) fn check_not_distinct(&self, args: &StateFieldsArgs) -> Result<()> {
        if args.is_distinct {
            let function = self.function;
            return plan_err!(
                "{function}: distinct arguments are not supported; select distinct rows first"
            );
        }
        Ok(())
    }
}

/// The constant at `position` of an aggregate's arguments; `None` when a column stands there.
pub(crate) fn constant_argument(args: &AccumulatorArgs, position: usize) -> Option<ScalarValue> {
    let no_rows = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match args.exprs.get(position)?.evaluate(&no_rows) {
        Ok(ColumnarValue::Scalar(value)) => Some(value),
        _ => None,
    }
}

/// For an aggregate's `simplify`: `check` sees its constant at `position`, or `None` when a column
/// stands there.
///
/// An aggregate meets its constants only when it runs; the optimizer meets them before.
pub(crate) fn check_constant_while_planning(
    position: usize,
    check: fn(Option<&ScalarValue>) -> Result<()>,
) -> AggregateFunctionSimplification {
    Box::new(move |call, _| {
        match call.params.args.get(position) {
            Some(Expr::Literal(value, _)) => check(Some(value))?,
            Some(Expr::Placeholder(_)) | None => {}
            Some(_) => check(None)?,
        }
        Ok(Expr::AggregateFunction(call))
    })
}

/// Runs `compute` over the rows of a call; when every argument is constant over one row, and the
/// result is constant.
///
/// # Errors
/// Those of `compute`.
pub(crate) fn evaluate(
    args: &ScalarFunctionArgs,
    compute: impl FnOnce(&[ColumnarValue], usize) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let is_constant = args
        .args
        .iter()
        .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    let rows = if is_constant { 1 } else { args.number_rows };
    let result = compute(&args.args, rows)?;
    if is_constant {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
            &result, 0,
        )?));
    }
    Ok(ColumnarValue::Array(result))
}

/// An argument's values by row; a constant is kept as one value, never expanded.
pub(crate) struct Column<A> {
    values: A,
    is_constant: bool,
}

/// Numbers of any type, as f64.
pub(crate) type Numbers = Column<Float64Array>;
/// Whole numbers of any width, as i64.
pub(crate) type WholeNumbers = Column<Int64Array>;
/// Strings of any type.
pub(crate) type Texts = Column<StringViewArray>;
/// Lists of numbers, as f64.
pub(crate) type NumberLists = Column<ListArray>;

impl<A: Array> Column<A> {
    /// Decodes with `read`, one of the functions below.
    ///
    /// # Errors
    /// When the type is not what `Parameters::check` lets through.
    pub(crate) fn decode(
        value: &ColumnarValue,
        read: impl FnOnce(&ArrayRef) -> Result<A>,
    ) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Array(array) => Self {
                values: read(array)?,
                is_constant: false,
            },
            ColumnarValue::Scalar(scalar) => Self {
                values: read(&scalar.to_array_of_size(1)?)?,
                is_constant: true,
            },
        })
    }

    /// Whether it is one value for all rows.
    pub(crate) fn is_constant(&self) -> bool {
        self.is_constant
    }

    fn present(&self, row: usize) -> Option<usize> {
        let index = if self.is_constant { 0 } else { row };
        self.values.is_valid(index).then_some(index)
    }
}

impl Numbers {
    /// The same number in all rows.
    pub(crate) fn constant(number: f64) -> Self {
        Self {
            values: Float64Array::from(vec![number]),
            is_constant: true,
        }
    }

    /// The number of a row.
    pub(crate) fn get(&self, row: usize) -> Option<f64> {
        self.present(row).map(|index| self.values.value(index))
    }
}

impl WholeNumbers {
    /// The whole number of a row.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        self.present(row).map(|index| self.values.value(index))
    }
}

impl Texts {
    /// The string of a row.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        self.present(row).map(|index| self.values.value(index))
    }
}

impl NumberLists {
    /// The numbers in the list of a row; NULL when one of them is.
    pub(crate) fn get(&self, row: usize) -> Option<&[f64]> {
        let index = self.present(row)?;
        let offsets = self.values.value_offsets();
        let (start, end) = (offsets[index].as_usize(), offsets[index + 1].as_usize());
        let elements = self.values.values().as_primitive::<Float64Type>();
        let has_null = elements
            .nulls()
            .is_some_and(|nulls| nulls.slice(start, end - start).null_count() > 0);
        (!has_null).then(|| &elements.values()[start..end])
    }
}

/// Numbers of any type as f64.
///
/// # Errors
/// When the array holds no numbers.
pub(crate) fn float64(array: &ArrayRef) -> Result<Float64Array> {
    Ok(cast(array, &DataType::Float64)?
        .as_primitive::<Float64Type>()
        .clone())
}

/// Whole numbers of any width as i64.
///
/// # Errors
/// When the array holds no numbers.
pub(crate) fn int64(array: &ArrayRef) -> Result<Int64Array> {
    Ok(cast(array, &DataType::Int64)?
        .as_primitive::<Int64Type>()
        .clone())
}

/// Strings of any type.
///
/// # Errors
/// When the array holds no strings.
pub(crate) fn text(array: &ArrayRef) -> Result<StringViewArray> {
    Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone())
}

/// Dates as days.
///
/// # Errors
/// When the array holds no dates.
pub(crate) fn date32(array: &ArrayRef) -> Result<Date32Array> {
    Ok(cast(array, &DataType::Date32)?
        .as_primitive::<Date32Type>()
        .clone())
}

/// Booleans.
///
/// # Errors
/// When the array holds no booleans.
pub(crate) fn boolean(array: &ArrayRef) -> Result<BooleanArray> {
    Ok(cast(array, &DataType::Boolean)?.as_boolean().clone())
}

/// Lists of numbers as lists of f64.
///
/// # Errors
/// When the array holds no lists of numbers.
pub(crate) fn float64_list(array: &ArrayRef) -> Result<ListArray> {
    let list = cast(array, &DataType::new_list(DataType::Float64, true))?;
    Ok(list.as_list::<i32>().clone())
}

/// An array of an expected Arrow type, as an aggregate finds it in its own state.
///
/// # Errors
/// When the state was written by another version of the function.
pub(crate) fn state_column<'a, A: Array + 'static>(
    function: &str,
    state: &'a [ArrayRef],
    position: usize,
) -> Result<&'a A> {
    state
        .get(position)
        .and_then(|array| array.as_any().downcast_ref::<A>())
        .ok_or_else(|| {
            exec_datafusion_err!(
                "{function}: column {position} of the intermediate state has an unexpected type; \
             run the same version on all machines"
            )
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use datafusion_common::arrow::datatypes::{Field, Float32Type};

    use super::*;

    const PARAMETERS: Parameters =
        Parameters::new("score", &[("value", NUMBER), ("on", DATE), ("label", TEXT)])
            .with_optional(1);

    fn error(types: &[DataType]) -> String {
        PARAMETERS.check(types).unwrap_err().strip_backtrace()
    }

    fn typed(values: Vec<Option<i64>>, data_type: &DataType) -> ColumnarValue {
        let array: ArrayRef = Arc::new(Int64Array::from(values));
        ColumnarValue::Array(cast(&array, data_type).unwrap())
    }

    #[test]
    fn wrong_number_of_arguments_is_a_plan_error() {
        let expected = "Error during planning: score: 1 arguments given, but 2 to 3 needed; \
                        write score(value, on, label)";
        assert_eq!(error(&[DataType::Int64]), expected);
    }

    #[test]
    fn wrong_type_is_a_plan_error_that_names_the_argument() {
        let expected = "Error during planning: score: argument 2 (on) must be a date, but is \
                        Int64; cast it or pass another column";
        assert_eq!(error(&[DataType::Float32, DataType::Int64]), expected);
    }

    #[test]
    fn every_width_of_number_is_decoded() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Int32));
        let types = [
            DataType::Int8,
            DataType::UInt64,
            DataType::Float16,
            DataType::Decimal128(20, 4),
            DataType::Decimal256(40, 2),
            dictionary,
        ];
        for data_type in types {
            PARAMETERS
                .check(&[data_type.clone(), DataType::Date64])
                .unwrap();
            let column = typed(vec![Some(7), None], &data_type);
            let numbers = Numbers::decode(&column, float64).unwrap();
            assert_eq!(
                (numbers.get(0), numbers.get(1)),
                (Some(7.0), None),
                "{data_type}"
            );
        }
    }

    #[test]
    fn every_type_of_string_is_decoded() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8));
        for data_type in [
            DataType::Utf8,
            DataType::LargeUtf8,
            DataType::Utf8View,
            dictionary,
        ] {
            assert!((TEXT.accepts)(&data_type), "{data_type}");
            let column = typed(vec![Some(7), None], &DataType::Utf8)
                .to_array(2)
                .unwrap();
            let column = ColumnarValue::Array(cast(&column, &data_type).unwrap());
            let texts = Texts::decode(&column, text).unwrap();
            assert_eq!(
                (texts.get(0), texts.get(1)),
                (Some("7"), None),
                "{data_type}"
            );
        }
    }

    #[test]
    fn constant_stands_for_every_row() {
        let constant = ColumnarValue::Scalar(ScalarValue::from(3_i8));
        let numbers = WholeNumbers::decode(&constant, int64).unwrap();
        assert_eq!(
            (numbers.is_constant, numbers.get(0), numbers.get(99)),
            (true, Some(3), Some(3))
        );
    }

    #[test]
    fn list_with_a_null_in_it_is_null() {
        let values: Vec<Option<Vec<Option<f32>>>> = vec![
            Some(vec![Some(1.0), Some(2.0)]),
            Some(vec![None]),
            None,
            Some(vec![]),
        ];
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(values));
        let item = Field::new_list_field(DataType::Float32, true);
        let large = cast(&lists, &DataType::LargeList(item.into())).unwrap();
        for array in [lists, large] {
            assert!((NUMBERS.accepts)(array.data_type()));
            let lists = NumberLists::decode(&ColumnarValue::Array(array), float64_list).unwrap();
            let rows: Vec<_> = (0..4).map(|row| lists.get(row)).collect();
            assert_eq!(rows, [Some(&[1.0, 2.0][..]), None, None, Some(&[][..])]);
        }
    }
}
