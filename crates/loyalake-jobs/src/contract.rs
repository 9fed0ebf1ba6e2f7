//! Contracts of inputs: `create table` statements that say what a source must look like.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ColumnDef, ColumnOption, DataType as SqlType, ExactNumberInfo, Statement as SqlStatement,
};

use crate::Result;
use crate::sql_file::SqlFile;

/// What an input must look like.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The input's name.
    pub name: String,
    /// Whether a project must supply it.
    pub is_required: bool,
    /// What it is, in a sentence.
    pub description: String,
    /// Its columns.
    pub columns: Vec<ContractColumn>,
}

/// One column of a contract.
#[derive(Debug, Clone)]
pub struct ContractColumn {
    /// Its name.
    pub name: String,
    /// Its type; a key (`…_id`) may be any integer in place of varchar.
    pub data_type: DataType,
    /// Whether a row without it is broken.
    pub is_required: bool,
    /// Meaning and unit.
    pub comment: String,
    pub(crate) checks: Vec<String>,
    /// The key whose type it has, of a key: its own name, or what it references.
    key: Option<String>,
}

impl ContractColumn {
    fn is_key(&self) -> bool {
        self.key.is_some()
    }

    /// Bytes of the longest text that is taken for a value: a longer one is a file's accident, and
    /// keys are held in memory by the thousand.
    pub(crate) fn longest_bytes(&self) -> i32 {
        if self.is_key() { 1 << 10 } else { 1 << 16 }
    }

    /// The type that this project's sources give it.
    pub(crate) fn type_with(&self, keys: &BTreeMap<String, DataType>) -> DataType {
        let key = self.key.as_ref().and_then(|key| keys.get(key));
        key.unwrap_or(&self.data_type).clone()
    }

    /// Whether values of type `found` can be values of this column.
    pub(crate) fn accepts(&self, found: &DataType, from_text: bool) -> bool {
        let is_text = matches!(
            found,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        );
        let is_decimal = matches!(found, DataType::Decimal128(..) | DataType::Decimal256(..));
        if let DataType::Dictionary(_, value) = found {
            return self.accepts(value, from_text);
        }
        if *found == DataType::Null {
            return true;
        }
        match self.data_type {
            DataType::Utf8View => is_text || found.is_integer(),
            _ if is_text => from_text,
            DataType::Timestamp(..) | DataType::Date32 => found.is_temporal(),
            DataType::Decimal128(..) | DataType::Float64 => found.is_numeric() || is_decimal,
            DataType::Int32 | DataType::Int64 => found.is_integer(),
            DataType::Boolean => *found == DataType::Boolean,
            _ => false,
        }
    }
}

impl Contract {
    /// Reads the contract in a file of `sql/sources`.
    pub(crate) fn try_new(file: &SqlFile) -> Result<Self> {
        let Statement::Statement(statement) = &file.statement else {
            return Err(file.error("a contract must be a create table statement", ""));
        };
        let SqlStatement::CreateTable(table) = statement.as_ref() else {
            return Err(file.error("a contract must be a create table statement", ""));
        };
        let columns = table
            .columns
            .iter()
            .map(|column| contract_column(column, file));
        Ok(Self {
            name: file.name.clone(),
            is_required: file.header("supply") == Some("required"),
            description: file.description().to_owned(),
            columns: columns.collect::<Result<_>>()?,
        })
    }

    /// The schema of an absent source.
    pub(crate) fn empty_schema(&self, keys: &BTreeMap<String, DataType>) -> SchemaRef {
        let field =
            |column: &ContractColumn| Field::new(&column.name, column.type_with(keys), true);
        Arc::new(Schema::new(
            self.columns.iter().map(field).collect::<Vec<_>>(),
        ))
    }

    /// Adds the key columns of a source to `keys`: integers, unless any source has text.
    pub(crate) fn collect_keys(&self, found: &Schema, keys: &mut BTreeMap<String, DataType>) {
        let keyed = self.columns.iter();
        for (name, column) in keyed.filter_map(|column| Some((column.key.as_ref()?, column))) {
            let Ok(field) = found.field_with_name(&column.name) else {
                continue;
            };
            let key = keys.entry(name.clone()).or_insert(DataType::Int64);
            if !field.data_type().is_integer() {
                *key = DataType::Utf8View;
            }
        }
    }
}

fn contract_column(column: &ColumnDef, file: &SqlFile) -> Result<ContractColumn> {
    let name = column.name.value.clone();
    let data_type = arrow_type(&column.data_type).ok_or_else(|| {
        let message = format!(
            "column '{name}' has type {}, which contracts don't know",
            column.data_type
        );
        file.error(message, &name)
    })?;
    let is_key = name.ends_with("_id") && data_type == DataType::Utf8View;
    let mut contract = ContractColumn {
        key: is_key.then(|| name.clone()),
        name,
        data_type,
        is_required: false,
        comment: String::new(),
        checks: Vec::new(),
    };
    for option in &column.options {
        match &option.option {
            ColumnOption::NotNull => contract.is_required = true,
            ColumnOption::Comment(text) => contract.comment.clone_from(text),
            ColumnOption::ForeignKey(references) if is_key => {
                let mut referred = references.referred_columns.iter();
                contract.key = referred.next().map(|column| column.value.clone());
            }
            ColumnOption::Check(check) => contract.checks.push(check.expr.to_string()),
            _ => {}
        }
    }
    Ok(contract)
}

fn arrow_type(sql: &SqlType) -> Option<DataType> {
    match sql {
        SqlType::Varchar(_) => Some(DataType::Utf8View),
        SqlType::Timestamp(..) => Some(DataType::Timestamp(
            TimeUnit::Microsecond,
            Some("UTC".into()),
        )),
        SqlType::Date => Some(DataType::Date32),
        SqlType::Boolean => Some(DataType::Boolean),
        SqlType::Int(_) | SqlType::Integer(_) => Some(DataType::Int32),
        SqlType::BigInt(_) => Some(DataType::Int64),
        SqlType::Double(_) => Some(DataType::Float64),
        SqlType::Decimal(ExactNumberInfo::PrecisionAndScale(precision, scale)) => Some(
            DataType::Decimal128(u8::try_from(*precision).ok()?, i8::try_from(*scale).ok()?),
        ),
        _ => None,
    }
}
