//! Which inputs a project supplies: what lets SQL tell "nobody answered" from "nobody was asked".

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;

use crate::graph::RUN_SCHEMA;
use crate::session::Session;
use crate::sql_file::SqlFile;
use crate::{JobsError, Result};

/// The relation of schema `run` that names the contracts which are supplied.
pub(crate) const SUPPLIED: &str = "supplied";

impl Session<'_> {
    /// Which contracts are supplied: those whose staging relation reads configured inputs alone.
    pub(crate) fn define_supplied(&self) -> Result<()> {
        let is_supplied = |file: &&SqlFile| {
            let inputs = self.project.graph.upstream_sources(&file.name);
            inputs.iter().all(|name| self.sources.contains_key(name))
        };
        let files = self.project.graph.files().iter().filter(is_supplied);
        let contracts = files.filter_map(|file| self.project.contract_of(file));
        let names = StringViewArray::from_iter_values(contracts.map(|contract| &contract.name));
        let names: ArrayRef = Arc::new(names);
        let table = RecordBatch::try_from_iter([("name", names)])
            .map_err(DataFusionError::from)
            .and_then(|batch| MemTable::try_new(batch.schema(), vec![vec![batch]]));
        let table = table.map_err(|source| JobsError::Execution {
            relation: format!("{RUN_SCHEMA}.{SUPPLIED}"),
            source,
        })?;
        self.define(RUN_SCHEMA, SUPPLIED, Arc::new(table))
    }
}
