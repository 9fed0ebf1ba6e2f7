//! Putting parameters into a parsed statement, as typed literals; no text is edited.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, Value, ValueWithSpan, visit_expressions, visit_expressions_mut,
};

use crate::parameters::Parameters;

/// The names of the `$params` of a statement, sorted, each once.
pub(crate) fn parameters_of(statement: &Statement) -> Vec<String> {
    let mut names = Vec::new();
    if let Statement::Statement(statement) = statement {
        let _: ControlFlow<()> = visit_expressions(statement.as_ref(), |expr| {
            names.extend(placeholder(expr).map(str::to_owned));
            ControlFlow::Continue(())
        });
    }
    names.sort();
    names.dedup();
    names
}

/// The statement with every `$param` replaced by its literal. The error is the name of an unknown
/// one.
pub(crate) fn bind(statement: &Statement, parameters: &Parameters) -> Result<Statement, String> {
    let mut bound = statement.clone();
    if let Statement::Statement(statement) = &mut bound {
        let unknown = visit_expressions_mut(statement.as_mut(), |expr| {
            let Some(name) = placeholder(expr) else {
                return ControlFlow::Continue(());
            };
            match parameters.literal(name) {
                Some(literal) => *expr = literal,
                None => return ControlFlow::Break(name.to_owned()),
            }
            ControlFlow::Continue(())
        });
        if let ControlFlow::Break(name) = unknown {
            return Err(name);
        }
    }
    Ok(bound)
}

fn placeholder(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(ValueWithSpan {
            value: Value::Placeholder(name),
            ..
        }) => name.strip_prefix('$'),
        _ => None,
    }
}
