//! Columns of tables, as documentation shows them.

use datafusion::arrow::datatypes::{DataType, Field};

/// A type as SQL writes it.
pub(crate) fn sql_type(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "varchar",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 => "smallint",
        DataType::Int32 => "int",
        DataType::Int64 => "bigint",
        DataType::Float32 => "real",
        DataType::Float64 => "double",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            return format!("decimal({precision}, {scale})");
        }
        DataType::Dictionary(_, value) => return sql_type(value),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) => {
            return format!("list<{}>", sql_type(item.data_type()));
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| member(field));
            return format!("struct<{}>", fields.collect::<Vec<_>>().join(", "));
        }
        other => return other.to_string().to_lowercase(),
    };
    name.to_owned()
}

fn member(field: &Field) -> String {
    format!("{} {}", field.name(), sql_type(field.data_type()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn nested_types_name_their_parts() {
        let value = Field::new("value", DataType::Decimal128(18, 4), true);
        let pair =
            DataType::Struct(vec![Field::new("name", DataType::Utf8View, true), value].into());
        let list = DataType::List(Arc::new(Field::new_list_field(pair, true)));
        assert_eq!(
            sql_type(&list),
            "list<struct<name varchar, value decimal(18, 4)>>"
        );
    }
}
