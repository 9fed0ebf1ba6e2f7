//! One SQL file: its text, its header, and the one statement in it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::sql::parser::Statement;
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::visit_relations;

use crate::bind::parameters_of;
use crate::header::Header;
use crate::statements::{is_query, parse};
use crate::{JobsError, Place, Result};

/// What a SQL file is, by its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The contract of an input.
    Source,
    /// What is read of a table that an earlier run published.
    Published,
    /// An input, mapped and cleaned.
    Staging,
    /// A step that is not published.
    Intermediate,
    /// A published table.
    Mart,
    /// A query that returns offending rows.
    Audit,
    /// A query whose result is shown at the end of a run.
    Report,
}

/// A relation or audit, as it stands in a file.
#[derive(Debug, Clone)]
pub struct SqlFile {
    /// The file's name without `.sql`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it is from, as messages name it.
    pub path: String,
    /// Whether it is the user's and not ours.
    pub is_override: bool,
    /// Its text.
    pub text: Arc<str>,
    pub(crate) header: Header,
    pub(crate) statement: Statement,
    /// The relations that it reads, sorted.
    pub inputs: Vec<String>,
    /// How often its plan scans each of them.
    scans: BTreeMap<String, usize>,
    /// The parameters that it uses, sorted.
    pub parameters: Vec<String>,
}

impl Kind {
    /// All kinds, in the order of the pipeline.
    pub const ALL: [Self; 7] = [
        Self::Source,
        Self::Published,
        Self::Staging,
        Self::Intermediate,
        Self::Mart,
        Self::Audit,
        Self::Report,
    ];

    /// The folder of its files.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Source => "sources",
            Self::Published => "published",
            Self::Staging => "staging",
            Self::Intermediate => "intermediate",
            Self::Mart => "marts",
            Self::Audit => "audits",
            Self::Report => "reports",
        }
    }

    /// Whether its files are `create table` statements that say what an input looks like.
    pub fn is_contract(self) -> bool {
        matches!(self, Self::Source | Self::Published)
    }
}

impl SqlFile {
    /// Parses a file and checks its header against what its statement does.
    ///
    /// # Errors
    /// SQL that does not parse, more than one statement, a header that is not true.
    pub fn parse(kind: Kind, path: &str, is_override: bool, text: &str) -> Result<Self> {
        let text: Arc<str> = Arc::from(text);
        let stem = path
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or(path)
            .trim_end_matches(".sql");
        let at_line = |message: String, line: usize| JobsError::Sql {
            message,
            place: Place::at(path, &text, line as u64, 1),
        };
        let header = Header::parse(&text).map_err(|(message, line)| at_line(message, line))?;
        let mut statements =
            parse(&text).map_err(|error| JobsError::sql(path, &text, None, &error))?;
        let (Some((start, statement)), true) = (statements.pop(), statements.is_empty()) else {
            return Err(at_line(
                "a file must hold exactly one statement".to_owned(),
                1,
            ));
        };
        if !kind.is_contract() && !is_query(&statement) {
            return Err(JobsError::Sql {
                message: "a file must hold a query; begin with `select` or `with`".to_owned(),
                place: Place::at(path, &text, start.line, start.column),
            });
        }
        let scans = match kind {
            _ if kind.is_contract() => BTreeMap::new(),
            _ => scans_of(&statement).map_err(|error| JobsError::sql(path, &text, None, &error))?,
        };
        let inputs = scans.keys().cloned().collect();
        let parameters = parameters_of(&statement);
        let name = stem.to_owned();
        let path = path.to_owned();
        let file = Self {
            name,
            kind,
            path,
            is_override,
            text,
            header,
            statement,
            inputs,
            scans,
            parameters,
        };
        file.check_header()?;
        Ok(file)
    }

    /// The sentence that says what the relation is.
    pub fn description(&self) -> &str {
        &self.header.description
    }

    /// The value of a header key, such as `source` or `severity`.
    pub fn header(&self, key: &str) -> Option<&str> {
        self.header.get(key)
    }

    /// The columns that make a row unique, as the header names them.
    pub fn grain(&self) -> Vec<String> {
        let text = self.header.get("grain").unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Whether its rows are kept for later runs that rest on the same.
    pub(crate) fn is_kept(&self) -> bool {
        self.header.get("kept") == Some("yes")
    }

    /// Whether the rows of each file of its source are kept for later runs.
    pub(crate) fn is_kept_by_file(&self) -> bool {
        self.header.get("kept") == Some("by file")
    }

    /// Takes over what `ours` says of keeping rows, unless the user's file says it.
    pub(crate) fn keep_like(&mut self, ours: &Self) {
        self.header.inherit("kept", &ours.header);
    }

    /// Every column of the grain is there.
    pub(crate) fn check_grain(&self, schema: &Schema) -> Result<()> {
        for column in self.grain().iter().filter(|column| *column != "run_id") {
            if schema.field_with_name(column).is_err() {
                let message =
                    format!("the grain names column '{column}', which the select does not return");
                return Err(self.error(message, column));
            }
        }
        Ok(())
    }

    /// An error that points at a word of the file.
    pub(crate) fn error(&self, message: impl Into<String>, word: &str) -> JobsError {
        JobsError::Sql {
            message: message.into(),
            place: Place::of_word(&self.path, &self.text, word),
        }
    }

    /// A user's file may leave out its header; what a header says must be true.
    fn check_header(&self) -> Result<()> {
        if self.header.name.is_empty() {
            if self.is_override {
                return Ok(());
            }
            let message = format!(
                "a header is missing; begin with `-- {}: what it is`",
                self.name
            );
            return Err(self.error(message, ""));
        }
        if self.header.name != self.name {
            let message = format!(
                "the header names '{}', but the file is '{}'; make them equal",
                self.header.name, self.name
            );
            return Err(self.error(message, &self.header.name));
        }
        if let Some(kept) = self.header.get("kept")
            && !["yes", "by file", "no"].contains(&kept)
        {
            let message = format!("`kept` must be yes, by file or no, but is '{kept}'");
            return Err(self.error(message, "-- kept:"));
        }
        for (key, found) in [("inputs", &self.inputs), ("params", &self.dollars())] {
            let said = self.header.names(key);
            if self.header.get(key).is_some() && said != *found {
                let shown = if found.is_empty() {
                    "none".to_owned()
                } else {
                    found.join(", ")
                };
                let message = format!("the header's `{key}` must be: {shown}");
                return Err(self.error(message, &format!("-- {key}:")));
            }
        }
        Ok(())
    }

    /// How often the file's plan scans a relation.
    pub(crate) fn scans(&self, relation: &str) -> usize {
        self.scans.get(relation).copied().unwrap_or_default()
    }

    fn dollars(&self) -> Vec<String> {
        self.parameters
            .iter()
            .map(|name| format!("${name}"))
            .collect()
    }
}

/// The relations that a statement reads, without its own CTEs, and how often its plan scans each:
/// a CTE is planned anew wherever it is named, so that naming the CTE that imports a relation
/// counts as a scan.
fn scans_of(statement: &Statement) -> datafusion::error::Result<BTreeMap<String, usize>> {
    let (relations, ctes) = resolve_table_references(statement, true)?;
    let mut named: Vec<String> = Vec::new();
    if let Statement::Statement(statement) = statement {
        let _: ControlFlow<()> = visit_relations(statement.as_ref(), |name| {
            named.push(name.to_string());
            ControlFlow::Continue(())
        });
    }
    let scans = relations.into_iter().map(|relation| {
        let is_imported = ctes.contains(&relation);
        let name = relation.to_string();
        let times = named.iter().filter(|other| **other == name).count();
        (name, times.saturating_sub(usize::from(is_imported)).max(1))
    });
    Ok(scans.collect())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    fn parse(text: &str) -> Result<SqlFile> {
        SqlFile::parse(Kind::Mart, "sql/marts/a.sql", false, text)
    }

    #[test]
    fn inputs_and_parameters_are_found_by_parsing() {
        let text = "-- a: all.\n-- grain: x\nwith b as (select * from b) \
                    select x from b join source.c using (x) where x > $low";
        let file = parse(text).expect("a file");
        assert_eq!(file.inputs, ["b", "source.c"]);
        assert_eq!(file.parameters, ["low"]);
        assert_eq!(file.grain(), ["x"]);
    }

    #[test]
    fn a_header_that_is_not_true_is_refused() {
        let error = parse("-- a: all.\n-- inputs: b\nselect x from c").expect_err("a lie");
        assert_eq!(
            error.to_string(),
            "sql/marts/a.sql:2: the header's `inputs` must be: c"
        );
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let error = parse("-- a: all.\nselect x\nfrom )").expect_err("no SQL");
        assert!(
            error.to_string().starts_with("sql/marts/a.sql:3:"),
            "{error}"
        );
    }
}
