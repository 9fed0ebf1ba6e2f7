//! Which inputs a project supplies: what lets SQL tell "nobody answered" from "nobody was asked".

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;

use crate::graph::RUN_SCHEMA;
use crate::session::Session;
use crate::sql_file::SqlFile;
use crate::{JobsError, Result};

/// The relation of schema `run` that says which contracts are supplied.
pub(crate) const SUPPLIED: &str = "supplied";

impl Session<'_> {
    /// One row, with a column for each contract: whether it is supplied. It is when its staging
    /// relation reads configured inputs alone.
    pub(crate) fn define_supplied(&self) -> Result<()> {
        let columns = self.supplied().map(|(contract, is_supplied)| {
            let column: ArrayRef = Arc::new(BooleanArray::from(vec![is_supplied]));
            (contract, column)
        });
        let table = RecordBatch::try_from_iter(columns)
            .map_err(DataFusionError::from)
            .and_then(|batch| MemTable::try_new(batch.schema(), vec![vec![batch]]));
        let table = table.map_err(|source| JobsError::Execution {
            relation: format!("{RUN_SCHEMA}.{SUPPLIED}"),
            source,
        })?;
        self.define(RUN_SCHEMA, SUPPLIED, Arc::new(table))
    }

    /// Each contract, and whether it is supplied.
    pub(crate) fn supplied(&self) -> impl Iterator<Item = (&String, bool)> {
        let contracts = self.project.contracts.iter();
        contracts.map(|contract| (&contract.name, self.is_supplied(&contract.name)))
    }

    fn is_supplied(&self, contract: &str) -> bool {
        let graph = &self.project.graph;
        let is_staging = |file: &&SqlFile| {
            let kept = self.project.contract_of(file);
            kept.is_some_and(|kept| kept.name == contract)
        };
        let staging = graph.files().iter().find(is_staging);
        staging.is_some_and(|file| {
            let inputs = graph.upstream_sources(&file.name);
            inputs.iter().all(|name| self.sources.contains_key(name))
        })
    }
}
