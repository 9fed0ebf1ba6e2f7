//! The ledger written again, when the versions that its rows name are replaced by newer ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, RecordBatch, StructArray,
};
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{ArrowNativeType, DataType, Date32Type, Int64Type};
use datafusion::error::{DataFusionError, Result as QueryResult};
use loyalake_lake::delta::PARTITION;
use loyalake_lake::rewrite::Rewrite;

use super::{Change, PublishedLake, failed};
use crate::Result;

/// The column that lists the tables of a run.
const TABLES: &str = "tables";

/// What becomes of the rows of the ledger.
pub(super) struct Restatement {
    /// The version that every row names from now on, by table.
    pub(super) versions: BTreeMap<String, u64>,
    /// Rows that tables have less, by table and date.
    pub(super) fewer_rows: BTreeMap<(String, NaiveDate), usize>,
    /// Rows before this date are dropped.
    pub(super) first_date: Option<NaiveDate>,
}

impl PublishedLake<'_> {
    /// Commits the ledger in other words: the last commit of a change.
    pub(super) async fn restate(
        &self,
        change: &Change,
        restatement: &Restatement,
        command: &str,
    ) -> Result<()> {
        let name = self.ledger_name.as_str();
        let Some(current) = self.newest(name).await? else {
            return Ok(());
        };
        let rows = self.rows(name, current.table()?, None)?;
        let schema = rows.schema().inner().clone();
        let batches = rows.collect().await.map_err(failed(name))?;
        let rows = concat_batches(&schema, &batches).map_err(DataFusionError::from);
        let rows = rows.and_then(|rows| restatement.apply(&rows));
        let mut rewrite = Rewrite {
            removed: current.files()?,
            ..Rewrite::default()
        };
        for (date, row) in rows.map_err(failed(name))? {
            let folder = change.folder(&self.output, name, &date);
            let frame = self.context.read_batch(row).map_err(failed(name))?;
            let frame = frame.drop_columns(&[PARTITION]).map_err(failed(name))?;
            let staged = self.write(name, frame, 1, &folder).await?;
            rewrite.added.push((date, staged));
        }
        let metadata = change.metadata(command);
        change.publication.rewrite(name, &rewrite, metadata).await?;
        Ok(())
    }
}

impl Restatement {
    /// The rows that stay, each with its date.
    fn apply(&self, rows: &RecordBatch) -> QueryResult<Vec<(String, RecordBatch)>> {
        let schema = rows.schema();
        let dates = rows.column(schema.index_of(PARTITION)?);
        let dates = dates.as_primitive::<Date32Type>();
        let date = |row: usize| dates.value_as_date(row).unwrap_or_default();
        let tables = schema.index_of(TABLES)?;
        let mut columns = rows.columns().to_vec();
        columns[tables] = self.tables(columns[tables].as_list::<i32>(), date)?;
        let rows = RecordBatch::try_new(schema, columns)?;
        let stays = |row: &usize| self.first_date.is_none_or(|first| date(*row) >= first);
        let stays = (0..rows.num_rows()).filter(stays);
        Ok(stays
            .map(|row| (date(row).to_string(), rows.slice(row, 1)))
            .collect())
    }

    /// The lists of tables, with other versions and numbers of rows.
    fn tables(
        &self,
        lists: &ListArray,
        date: impl Fn(usize) -> NaiveDate,
    ) -> QueryResult<ArrayRef> {
        let DataType::List(item) = lists.data_type() else {
            return Ok(Arc::new(lists.clone()));
        };
        let tables = lists.values().as_struct();
        let names = cast(
            tables.column_by_name("name").unwrap_or(lists.values()),
            &DataType::Utf8,
        )?;
        let names = names.as_string::<i32>();
        let column = |name| numbers(tables, name);
        let (mut versions, mut rows) = (column("version")?, column("rows")?);
        for (row, bounds) in lists.offsets().windows(2).enumerate() {
            for entry in bounds[0].as_usize()..bounds[1].as_usize() {
                let name = names.value(entry).to_owned();
                if let Some(version) = self.versions.get(&name) {
                    versions[entry] = i64::try_from(*version).unwrap_or(i64::MAX);
                }
                let fewer = self.fewer_rows.get(&(name, date(row)));
                rows[entry] -= fewer.map_or(0, |fewer| i64::try_from(*fewer).unwrap_or(i64::MAX));
            }
        }
        let columns = tables.fields().iter().zip(tables.columns());
        let columns = columns.map(|(field, column)| -> ArrayRef {
            match field.name().as_str() {
                "version" => Arc::new(Int64Array::from(versions.clone())),
                "rows" => Arc::new(Int64Array::from(rows.clone())),
                _ => Arc::clone(column),
            }
        });
        let tables = StructArray::try_new(
            tables.fields().clone(),
            columns.collect(),
            tables.nulls().cloned(),
        )?;
        Ok(Arc::new(ListArray::try_new(
            Arc::clone(item),
            lists.offsets().clone(),
            Arc::new(tables),
            lists.nulls().cloned(),
        )?))
    }
}

fn numbers(tables: &StructArray, name: &str) -> QueryResult<Vec<i64>> {
    let column = tables.column_by_name(name);
    let column = column.and_then(|column| column.as_primitive_opt::<Int64Type>());
    let column = column.ok_or_else(|| {
        DataFusionError::Execution(format!("column '{TABLES}' must list structs with a {name}"))
    })?;
    Ok(column.values().to_vec())
}
