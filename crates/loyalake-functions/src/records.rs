//! Lists of structs as arguments, read by field name.

use std::ops::Range;

use datafusion_common::Result;
use datafusion_common::arrow::array::{Array, ArrayRef, AsArray, StructArray, new_null_array};
use datafusion_common::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion_common::arrow::compute::{cast, is_null, nullif};
use datafusion_common::arrow::datatypes::{ArrowNativeType, DataType, Fields};
use datafusion_expr::ColumnarValue;

use crate::args::{NUMBER, Numbers, float64, list_element};

/// Whether all `names` are fields of numbers in a type of struct; in NULL there is nothing to miss.
pub(crate) fn has_numbers(data_type: &DataType, names: &[&str]) -> bool {
    let DataType::Struct(fields) = data_type else {
        return data_type.is_null();
    };
    let is_number = |name: &&str| {
        fields
            .find(name)
            .is_some_and(|(_, field)| (NUMBER.accepts)(field.data_type()))
    };
    names.iter().all(is_number)
}

/// A list of structs in each row; a constant is kept as one list.
pub(crate) struct RecordLists {
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
    records: StructArray,
    is_constant: bool,
}

impl RecordLists {
    /// Decodes any type of list of structs, and NULL.
    ///
    /// # Errors
    /// When the argument is no list.
    pub(crate) fn decode(value: &ColumnarValue) -> Result<Self> {
        let (array, is_constant) = match value {
            ColumnarValue::Array(array) => (ArrayRef::clone(array), false),
            ColumnarValue::Scalar(scalar) => (scalar.to_array_of_size(1)?, true),
        };
        let element = list_element(array.data_type()).filter(|element| !element.is_null());
        let element = element
            .cloned()
            .unwrap_or_else(|| DataType::Struct(Fields::empty()));
        let array = cast(&array, &DataType::new_list(element, true))?;
        let (_, offsets, records, nulls) = array.as_list::<i32>().clone().into_parts();
        Ok(Self {
            offsets,
            nulls,
            records: records.as_struct().clone(),
            is_constant,
        })
    }

    /// Where a row's structs lie; `None` for NULL.
    pub(crate) fn range(&self, row: usize) -> Option<Range<usize>> {
        let row = if self.is_constant { 0 } else { row };
        let is_null = self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        (!is_null).then(|| self.offsets[row].as_usize()..self.offsets[row + 1].as_usize())
    }

    /// A field of all structs as numbers, to be read at the places of `range`.
    ///
    /// # Errors
    /// When the field holds no numbers.
    pub(crate) fn numbers(&self, name: &str) -> Result<Numbers> {
        Numbers::decode(&ColumnarValue::Array(self.field(name)?), float64)
    }

    /// A field of all structs; NULL where the struct is, or when it has no such field.
    ///
    /// # Errors
    /// When the field's type cannot hold NULL.
    pub(crate) fn field(&self, name: &str) -> Result<ArrayRef> {
        let Some(column) = self.records.column_by_name(name) else {
            return Ok(new_null_array(&DataType::Null, self.records.len()));
        };
        Ok(nullif(column, &is_null(&self.records)?)?)
    }
}
