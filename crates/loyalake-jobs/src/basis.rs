//! What the rows of a relation rest on: SQL, parameters, inputs and the program. Equal ones give
//! equal rows.

use std::collections::BTreeMap;

use serde_json::json;

use crate::earlier::PUBLISHED_SCHEMA;
use crate::fingerprint::digest;
use crate::graph::RUN_SCHEMA;
use crate::project::SOURCE_SCHEMA;
use crate::session::Session;
use crate::sql_file::SqlFile;
use crate::supplied::SUPPLIED;

/// Changes when the program does.
pub(crate) const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("LOYALAKE_PROGRAM"));

/// What contracts read times without a zone in.
const TIME_ZONE: &str = "time_zone";

/// Names of what rows rest on, and what changes with each.
pub(crate) type Basis = BTreeMap<String, String>;

impl Session<'_> {
    /// The relations that no SQL file computes, as far as they are known before a run.
    pub(crate) fn leaves(
        &self,
        published: &BTreeMap<String, Option<String>>,
        erased: &impl serde::Serialize,
    ) -> Basis {
        let mut leaves = Basis::new();
        for contract in &self.project.contracts {
            let name = format!("{SOURCE_SCHEMA}.{}", contract.name);
            leaves.insert(name, "absent".to_owned());
        }
        for (name, source) in &self.sources {
            leaves.insert(format!("{SOURCE_SCHEMA}.{name}"), source.fingerprint());
        }
        for (name, run) in published {
            let run = run.clone().unwrap_or_else(|| "absent".to_owned());
            leaves.insert(format!("{PUBLISHED_SCHEMA}.{name}"), run);
        }
        let supplied: BTreeMap<&String, bool> = self.supplied().collect();
        leaves.insert(format!("{RUN_SCHEMA}.{SUPPLIED}"), digest(&json!(supplied)));
        leaves.insert(format!("{RUN_SCHEMA}.erased"), digest(&json!(erased)));
        leaves
    }

    /// What the rows of `file` rest on; none when they rest on what is only known during a run.
    pub(crate) fn basis(&self, file: &SqlFile, leaves: &Basis) -> Option<Basis> {
        let graph = &self.project.graph;
        let upstream = graph.upstream(&file.name);
        let upstream = upstream.iter().filter_map(|name| graph.get(name));
        let mut basis = Basis::from([("program".to_owned(), PROGRAM.to_owned())]);
        for file in upstream.chain([file]) {
            let sql = digest(&json!(file.statement.to_string()));
            basis.insert(format!("{}.sql", file.name), sql);
            let mut parameters = file.parameters.clone();
            if let Some(contract) = self.project.contract_of(file) {
                let columns = digest(&json!(format!("{:?}", contract.columns)));
                basis.insert(format!("contract {}", contract.name), columns);
                basis.insert("keys".to_owned(), digest(&json!(self.key_names())));
                parameters.push(TIME_ZONE.to_owned());
            }
            for name in parameters {
                let value = self.parameters.literal(&name)?.to_string();
                basis.insert(format!("${name}"), value);
            }
            for input in file
                .inputs
                .iter()
                .filter(|input| graph.get(input).is_none())
            {
                basis.insert(input.clone(), leaves.get(input)?.clone());
            }
        }
        Some(basis)
    }

    /// What those rows of `file` rest on that come from single rows of one source: not on which
    /// files it has, but on the columns that are read.
    pub(crate) fn basis_by_file(
        &self,
        file: &SqlFile,
        leaves: &Basis,
        source: &str,
        columns: String,
    ) -> Option<Basis> {
        let mut basis = self.basis(file, leaves)?;
        let source = format!("{SOURCE_SCHEMA}.{source}");
        basis.remove(&source);
        basis.insert(format!("columns of {source}"), columns);
        Some(basis)
    }

    /// The types of the keys, which decide on the types of absent inputs.
    fn key_names(&self) -> BTreeMap<&String, String> {
        let keys = self.keys.iter();
        keys.map(|(name, data_type)| (name, data_type.to_string()))
            .collect()
    }
}

/// Why rows that rest on `before` are not those that rest on `now`.
pub(crate) fn changes(before: &Basis, now: &Basis) -> Vec<String> {
    let names = before.keys().chain(now.keys());
    let mut changed: Vec<String> = names
        .filter(|name| before.get(*name) != now.get(*name))
        .map(|name| match (before.get(name), now.get(name)) {
            (Some(old), Some(new)) if name.starts_with('$') => format!("{name}: {old} → {new}"),
            _ => name.clone(),
        })
        .collect();
    changed.sort();
    changed.dedup();
    changed
}
