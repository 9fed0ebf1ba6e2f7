//! What the Tab key offers at the prompt, and when a statement is complete.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use datafusion::common::TableReference;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::reference::{COMMANDS, schemas};

const KEYWORDS: [&str; 58] = [
    "all",
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "cross",
    "describe",
    "desc",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "extract",
    "false",
    "filter",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "interval",
    "is",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "qualify",
    "right",
    "select",
    "show",
    "tables",
    "then",
    "true",
    "union",
    "unnest",
    "using",
    "values",
    "when",
    "where",
    "with",
];

/// Completes names, and waits for the `;` of a statement.
pub(super) struct Assistant {
    words: BTreeSet<String>,
    /// Columns come when their tables have been opened.
    columns: Arc<OnceLock<BTreeSet<String>>>,
}

impl Assistant {
    /// Everything that has a name in the session.
    pub(super) fn new(context: &SessionContext) -> Self {
        let state = context.state();
        let default = state.config_options().catalog.default_schema.clone();
        let mut words: BTreeSet<String> = KEYWORDS.map(str::to_owned).into();
        words.extend(functions(&state));
        let mut tables = Vec::new();
        for (schema, names) in schemas(context) {
            words.extend(names.iter().map(|name| format!("{schema}.{name}")));
            if schema == default {
                words.extend(names.iter().cloned());
            }
            let references = names
                .into_iter()
                .map(|name| TableReference::partial(schema.clone(), name));
            tables.extend(references);
            words.insert(schema);
        }
        let columns = Arc::new(OnceLock::new());
        tokio::spawn(read_columns(context.clone(), tables, Arc::clone(&columns)));
        Self { words, columns }
    }

    fn candidates(&self, start: &str) -> Vec<String> {
        let start = start.to_lowercase();
        if start.starts_with('\\') {
            let commands = COMMANDS
                .into_iter()
                .filter(|command| command.starts_with(&start));
            return commands.map(str::to_owned).collect();
        }
        if start.is_empty() {
            return Vec::new();
        }
        let columns = self.columns.get().into_iter().flatten();
        let words: BTreeSet<&String> = self
            .words
            .iter()
            .chain(columns)
            .filter(|word| word.starts_with(&start))
            .collect();
        words.into_iter().cloned().collect()
    }
}

fn functions(state: &SessionState) -> Vec<String> {
    let names = state
        .scalar_functions()
        .keys()
        .chain(state.aggregate_functions().keys());
    let names = names
        .chain(state.window_functions().keys())
        .chain(state.table_functions().keys());
    names.cloned().collect()
}

async fn read_columns(
    context: SessionContext,
    tables: Vec<TableReference>,
    columns: Arc<OnceLock<BTreeSet<String>>>,
) {
    let mut found = BTreeSet::new();
    for table in tables {
        if let Ok(table) = context.table_provider(table).await {
            found.extend(
                table
                    .schema()
                    .fields()
                    .iter()
                    .map(|field| field.name().clone()),
            );
        }
    }
    columns.get_or_init(|| found);
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let before = line.get(..position).unwrap_or_default();
        let is_part = |symbol: char| symbol.is_alphanumeric() || "_.\\".contains(symbol);
        let word = before
            .rsplit(|symbol| !is_part(symbol))
            .next()
            .unwrap_or_default();
        Ok((position - word.len(), self.candidates(word)))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        if is_complete(context.input()) {
            return Ok(ValidationResult::Valid(None));
        }
        Ok(ValidationResult::Incomplete)
    }
}

/// A command, nothing, or statements of which the last one ends with `;`.
fn is_complete(text: &str) -> bool {
    if text.trim().is_empty() || super::reference::Command::parse(text).is_some() {
        return true;
    }
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, text).tokenize() else {
        return false;
    };
    let last = tokens
        .iter()
        .rev()
        .find(|token| !matches!(token, Token::Whitespace(_)));
    last.is_none_or(|token| *token == Token::SemiColon)
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_statement_ends_with_a_semicolon_outside_of_quotes_and_comments() {
        for complete in [
            "",
            "select 1;",
            "select ';' ;  ",
            "select 1; -- done",
            "\\d orders",
            "quit",
        ] {
            assert!(is_complete(complete), "{complete}");
        }
        for open in [
            "select 1",
            "select ';",
            "select 1 -- ;",
            "select 1; select 2",
            "select /* ;",
        ] {
            assert!(!is_complete(open), "{open}");
        }
    }

    #[tokio::test]
    async fn names_of_the_session_are_offered() {
        let analyst = loyalake_jobs::analyst::without_project().expect("a session");
        let assistant = Assistant::new(&analyst.context);
        assert_eq!(assistant.candidates("SEL"), ["select"]);
        assert_eq!(assistant.candidates("bg_nbd_f"), ["bg_nbd_fit"]);
        assert_eq!(assistant.candidates("\\ti"), ["\\timing"]);
        assert!(assistant.candidates("").is_empty());
    }
}
