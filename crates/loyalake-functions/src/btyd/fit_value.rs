//! A fitted model as an SQL value: one struct type for all models.

use std::sync::Arc;

use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, Int32Array, Int64Array, ListArray,
    StringArray, StringBuilder, StructArray, new_null_array,
};
use datafusion_common::arrow::buffer::OffsetBuffer;
use datafusion_common::arrow::datatypes::{DataType, Field, Fields};
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_expr::ColumnarValue;
use loyalake_core::btyd::{Fit, Model, model};

use crate::args::{Kind, Numbers, TEXT, Texts, list_element, text};
use crate::records::{RecordLists, has_numbers};

/// A fitted model, or a struct that has at least its `model` and `parameters`.
pub(super) const FIT: Kind = Kind {
    expected: "a fitted model",
    accepts: |data_type| match data_type {
        DataType::Struct(fields) => {
            let is_named = |(_, field): (usize, &Arc<Field>)| (TEXT.accepts)(field.data_type());
            let has_parameters = |(_, field): (usize, &Arc<Field>)| {
                let element = list_element(field.data_type());
                element.is_some_and(|element| has_numbers(element, &["value"]))
            };
            fields.find("model").is_some_and(is_named)
                && fields.find("parameters").is_some_and(has_parameters)
        }
        _ => data_type.is_null(),
    },
};

/// The SQL type.
pub(super) fn fit_type() -> DataType {
    DataType::Struct(fit_fields())
}

fn fit_fields() -> Fields {
    let parameters = DataType::new_list(DataType::Struct(parameter_fields()), true);
    Fields::from(vec![
        Field::new("model", DataType::Utf8, true),
        Field::new("parameters", parameters, true),
        Field::new("log_likelihood", DataType::Float64, true),
        Field::new("customers", DataType::Int64, true),
        Field::new("rows_distinct", DataType::Int64, true),
        Field::new("rows_rejected", DataType::Int64, true),
        Field::new("iterations", DataType::Int32, true),
        Field::new("gradient_norm", DataType::Float64, true),
        Field::new("status", DataType::Utf8, true),
        Field::new("message", DataType::Utf8, true),
    ])
}

fn parameter_fields() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("value", DataType::Float64, true),
        Field::new("std_error", DataType::Float64, true),
    ])
}

/// Fits as a column.
///
/// # Errors
/// When Arrow refuses the columns.
pub(super) fn encode(fits: &[Option<Fit>]) -> Result<StructArray> {
    let texts = |of: fn(&Fit) -> Option<&str>| -> ArrayRef {
        let values = fits.iter().map(|fit| fit.as_ref().and_then(of));
        Arc::new(values.collect::<StringArray>())
    };
    let numbers = |of: fn(&Fit) -> Option<f64>| -> ArrayRef {
        let values = fits.iter().map(|fit| fit.as_ref().and_then(of));
        Arc::new(values.collect::<Float64Array>())
    };
    let counts = |of: fn(&Fit) -> u64| -> ArrayRef {
        let values = fits.iter().map(|fit| Some(of(fit.as_ref()?).cast_signed()));
        Arc::new(values.collect::<Int64Array>())
    };
    let iterations = fits
        .iter()
        .map(|fit| Some(fit.as_ref()?.iterations.cast_signed()));
    let is_known: Vec<bool> = fits.iter().map(Option::is_some).collect();
    let columns: Vec<ArrayRef> = vec![
        texts(|fit| Some(fit.model)),
        Arc::new(encode_parameters(fits)?),
        numbers(|fit| fit.log_likelihood),
        counts(|fit| fit.customers),
        counts(|fit| fit.rows_distinct),
        counts(|fit| fit.rows_rejected),
        Arc::new(iterations.collect::<Int32Array>()),
        numbers(|fit| fit.gradient_norm),
        texts(|fit| Some(fit.status.name())),
        texts(|fit| fit.message.as_deref()),
    ];
    Ok(StructArray::try_new(
        fit_fields(),
        columns,
        Some(is_known.into()),
    )?)
}

fn encode_parameters(fits: &[Option<Fit>]) -> Result<ListArray> {
    let mut names = StringBuilder::new();
    let (mut values, mut std_errors) = (Float64Builder::new(), Float64Builder::new());
    let (mut lengths, mut is_known) = (Vec::new(), Vec::new());
    for fit in fits {
        let parameters = fit.as_ref().and_then(|fit| fit.parameters.as_deref());
        for parameter in parameters.unwrap_or_default() {
            names.append_value(parameter.name);
            values.append_value(parameter.value);
            std_errors.append_option(parameter.std_error);
        }
        lengths.push(parameters.map_or(0, <[_]>::len));
        is_known.push(parameters.is_some());
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(names.finish()),
        Arc::new(values.finish()),
        Arc::new(std_errors.finish()),
    ];
    let parameters = StructArray::try_new(parameter_fields(), columns, None)?;
    let item = Field::new_list_field(DataType::Struct(parameter_fields()), true);
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = Some(is_known.into());
    Ok(ListArray::try_new(
        item.into(),
        offsets,
        Arc::new(parameters),
        nulls,
    )?)
}

/// The fits in an argument; a constant is kept as one.
pub(super) struct Fits {
    function: &'static str,
    /// All rows have the same fit. A fit that was joined on is a column, a subquery is one, too,
    /// where it stands in several expressions: most batches have one fit whatever they look like.
    is_constant: bool,
    models: Texts,
    parameters: RecordLists,
    names: Texts,
    values: Numbers,
}

/// One parameter of a fit as it stands in a row; either may be NULL.
type NameAndValue<'a> = (Option<&'a str>, Option<f64>);

impl Fits {
    /// Decodes what `FIT` accepts.
    ///
    /// # Errors
    /// When a field has another type.
    pub(super) fn decode(function: &'static str, argument: &ColumnarValue) -> Result<Self> {
        let (array, is_constant) = match argument {
            ColumnarValue::Array(array) if is_repeated(array) => (array.slice(0, 1), true),
            ColumnarValue::Array(array) => (ArrayRef::clone(array), false),
            ColumnarValue::Scalar(scalar) => (scalar.to_array_of_size(1)?, true),
        };
        let field = |name: &str| -> Result<ArrayRef> {
            let Some(fits) = array.as_struct_opt() else {
                return Ok(new_null_array(&DataType::Null, array.len()));
            };
            let column = fits.column_by_name(name).ok_or_else(|| {
                exec_datafusion_err!("{function}: the fit has no field {name}; pass a fitted model")
            })?;
            let is_null = datafusion_common::arrow::compute::is_null(fits)?;
            Ok(datafusion_common::arrow::compute::nullif(column, &is_null)?)
        };
        let parameters = RecordLists::decode(&ColumnarValue::Array(field("parameters")?))?;
        let names = ColumnarValue::Array(parameters.field("name")?);
        Ok(Self {
            function,
            is_constant,
            models: Texts::decode(&ColumnarValue::Array(field("model")?), text)?,
            names: Texts::decode(&names, text)?,
            values: parameters.numbers("value")?,
            parameters,
        })
    }

    /// The name of a row's model and the parameters' names and values; `None` when there are none.
    pub(super) fn get(&self, row: usize) -> Option<(&str, impl Iterator<Item = NameAndValue<'_>>)> {
        let row = if self.is_constant { 0 } else { row };
        let places = self.parameters.range(row)?;
        let parameters = places.map(|at| (self.names.get(at), self.values.get(at)));
        Some((self.models.get(row)?, parameters))
    }

    fn is_same(&self, one: usize, other: usize) -> bool {
        if self.is_constant {
            return true;
        }
        match (self.get(one), self.get(other)) {
            (Some((one_model, one)), Some((other_model, other))) => {
                one_model == other_model && one.eq(other)
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// Sets a row's model up.
    fn read<M>(&self, row: usize, set_up: SetUp<M>) -> Result<Option<M>> {
        let Some((name, parameters)) = self.get(row) else {
            return Ok(None);
        };
        let function = self.function;
        let in_sql = |error| exec_datafusion_err!("{function}: {error}");
        let model = model(name).map_err(in_sql)?;
        let mut values = Vec::with_capacity(model.parameters.len());
        for (position, (name, value)) in parameters.enumerate() {
            let expected = model.parameters.get(position).copied();
            if name.is_some() && name != expected {
                return exec_err!(
                    "{function}: parameters of {} must be {}, in this order, but number {} is {}",
                    model.name,
                    model.parameters.join(", "),
                    position + 1,
                    name.unwrap_or_default()
                );
            }
            values.push(value.unwrap_or(f64::NAN));
        }
        set_up(model, &values).map(Some).map_err(in_sql)
    }
}

/// Whether each row is the one before, in all its fields; quicker than reading them.
fn is_repeated(array: &ArrayRef) -> bool {
    let others = array.len().saturating_sub(1);
    !array.is_empty() && array.slice(0, others).to_data() == array.slice(1, others).to_data()
}

type SetUp<M> = fn(&Model, &[f64]) -> loyalake_core::Result<M>;

/// Models set up once for neighbouring rows with the same fit.
pub(super) struct Prepared<M> {
    fits: Fits,
    set_up: SetUp<M>,
    latest: Option<(usize, Option<M>)>,
}

impl<M> Prepared<M> {
    /// Decodes the fits and sets none up yet.
    ///
    /// # Errors
    /// When a field of the fits has another type.
    pub(super) fn decode(
        function: &'static str,
        argument: &ColumnarValue,
        set_up: SetUp<M>,
    ) -> Result<Self> {
        let fits = Fits::decode(function, argument)?;
        Ok(Self {
            fits,
            set_up,
            latest: None,
        })
    }

    /// The results of as many rows, NULL without a model.
    ///
    /// # Errors
    /// When a fit is of another kind of model, or its parameters are wrong.
    pub(super) fn each(
        &mut self,
        rows: usize,
        mut compute: impl FnMut(&M, usize) -> Option<f64>,
    ) -> Result<Vec<Option<f64>>> {
        if self.is_constant() && rows > 0 {
            let Some(model) = self.get(0)? else {
                return Ok(vec![None; rows]);
            };
            return Ok((0..rows).map(|row| compute(model, row)).collect());
        }
        let result = |row| Ok(self.get(row)?.and_then(|model| compute(model, row)));
        (0..rows).map(result).collect()
    }

    /// Whether all rows have the same fit.
    fn is_constant(&self) -> bool {
        self.fits.is_constant
    }

    /// The model of a row; `None` for NULL and for a fit without parameters.
    ///
    /// # Errors
    /// When the fit is of another kind of model, or its parameters are wrong.
    pub(super) fn get(&mut self, row: usize) -> Result<Option<&M>> {
        let known = self.latest.take();
        let latest = match known {
            Some((of, model)) if self.fits.is_same(of, row) => (row, model),
            _ => (row, self.fits.read(row, self.set_up)?),
        };
        Ok(self.latest.insert(latest).1.as_ref())
    }
}
