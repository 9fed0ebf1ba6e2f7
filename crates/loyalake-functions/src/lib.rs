//! SQL functions for customer value and loyalty, for any `DataFusion` session.
//!
//! [`register_all`] registers the scalar and aggregate functions, [`table_functions`] lists the
//! table functions (which a session registers by `register_udtf`), [`catalogue`] describes all of
//! them.
//!
//! # Adding a function
//! 1. The arithmetic goes to `loyalake-core`, on plain `f64`, under the same domain and file name.
//! 2. `src/<domain>/<function>.rs`: on top a constructor `pub(crate) fn <function>() -> ScalarUDF`
//!    (or `AggregateUDF`), then its `Parameters` constant, its `Documentation` with an
//!    `sql_example` (one statement, which the tests run), and a private struct with the plumbing.
//! 3. Two mentions in `src/<domain>/mod.rs`: `mod <function>;` and a line in `register`.
//! 4. `tests/slt/<domain>/<function>.slt`.
//!
//! A function is fully described by its name and its arguments: no state in the struct, no
//! constructor parameters. What is wrong with arity, types or constants is a plan error, see
//! `args.rs`.

mod args;
mod btyd;
mod collapsed;
mod counts;
mod group_aggregate;
mod loyalty;
mod number_function;
mod records;
mod rfm;
mod single_group;
mod survival;
mod tally;

use std::sync::Arc;

use datafusion_catalog::TableFunction;
use datafusion_common::{Result, internal_datafusion_err};
use datafusion_doc::Documentation;
use datafusion_expr::registry::{FunctionRegistry, MemoryFunctionRegistry};

type Register = fn(&mut dyn FunctionRegistry) -> Result<()>;

const DOMAINS: [(&str, Register); 4] = [
    ("btyd", btyd::register),
    ("rfm", rfm::register),
    ("survival", survival::register),
    ("loyalty", loyalty::register),
];

/// What a function does with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// One value for each row.
    Scalar,
    /// One value for each group of rows.
    Aggregate,
    /// A table.
    Table,
}

/// A function as the catalogue describes it.
#[derive(Debug, Clone)]
pub struct CatalogueEntry {
    /// The SQL name.
    pub name: String,
    /// What it does with rows.
    pub kind: FunctionKind,
    /// The folder of its source and of its tests.
    pub domain: &'static str,
    /// Description, parameters, an example that runs.
    pub documentation: Documentation,
}

/// Registers every scalar and aggregate function.
///
/// # Errors
/// When the registry takes no functions.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    DOMAINS
        .iter()
        .try_for_each(|(_, register)| register(registry))
}

/// The table functions, which a session registers by `register_udtf`.
pub fn table_functions() -> Vec<Arc<TableFunction>> {
    btyd::table_functions()
        .into_iter()
        .map(|(function, _)| function)
        .collect()
}

/// Every function with its documentation, sorted by name.
///
/// # Errors
/// When a function has no documentation.
pub fn catalogue() -> Result<Vec<CatalogueEntry>> {
    let mut entries = Vec::new();
    for (domain, register) in DOMAINS {
        let mut registry = MemoryFunctionRegistry::new();
        register(&mut registry)?;
        for name in registry.udfs() {
            let documentation = registry.udf(&name)?.documentation().cloned();
            entries.push((name, FunctionKind::Scalar, domain, documentation));
        }
        for name in registry.udafs() {
            let documentation = registry.udaf(&name)?.documentation().cloned();
            entries.push((name, FunctionKind::Aggregate, domain, documentation));
        }
    }
    for (function, documentation) in btyd::table_functions() {
        let name = function.name().to_string();
        entries.push((name, FunctionKind::Table, "btyd", Some(documentation)));
    }
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    let entries = entries
        .into_iter()
        .map(|(name, kind, domain, documentation)| {
            let documentation = documentation.ok_or_else(|| {
                internal_datafusion_err!("{name}: documentation is missing; add it")
            })?;
            Ok(CatalogueEntry {
                name,
                kind,
                domain,
                documentation,
            })
        });
    entries.collect()
}
