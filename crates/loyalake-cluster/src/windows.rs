//! Window functions with a filter, in words that travel.
//!
//! `DataFusion` writes a window function down without its filter. An aggregate that passes over
//! NULLs gives the same without one when what the filter leaves out is NULL.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Window, WindowFunctionDefinition, when};

/// Aggregates that pass over NULLs.
const PASS_OVER_NULLS: [&str; 9] = [
    "avg", "bool_and", "bool_or", "count", "max", "median", "min", "stddev", "sum",
];

/// The same plan without filters of window functions.
pub(crate) fn without_filters(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Window(window) = &node else {
            return Ok(Transformed::no(node));
        };
        if !window.window_expr.iter().any(has_filter) {
            return Ok(Transformed::no(node));
        }
        let functions = window.window_expr.iter().cloned().map(without_filter);
        let functions = functions.collect::<Result<_>>()?;
        let window = Window::try_new(functions, window.input.clone())?;
        Ok(Transformed::yes(LogicalPlan::Window(window)))
    });
    Ok(plan?.data)
}

fn has_filter(expr: &Expr) -> bool {
    let is_filtered =
        |part: &Expr| matches!(part, Expr::WindowFunction(call) if call.params.filter.is_some());
    expr.exists(|part| Ok(is_filtered(part))).unwrap_or(true)
}

/// The same value, under the same name.
fn without_filter(expr: Expr) -> Result<Expr> {
    let name = expr.schema_name().to_string();
    let expr = expr.transform_up(|part| {
        let Expr::WindowFunction(call) = part else {
            return Ok(Transformed::no(part));
        };
        let call = filter_argument(*call)?;
        Ok(Transformed::yes(Expr::from(call)))
    })?;
    Ok(expr.data.alias(name))
}

fn filter_argument(mut call: WindowFunction) -> Result<WindowFunction> {
    let Some(filter) = call.params.filter.take() else {
        return Ok(call);
    };
    let passes = match &call.fun {
        WindowFunctionDefinition::AggregateUDF(function) => {
            PASS_OVER_NULLS.contains(&function.name())
        }
        WindowFunctionDefinition::WindowUDF(_) => false,
    };
    let Some(argument) = call.params.args.first_mut().filter(|_| passes) else {
        let message = format!(
            "a filter of the window function {} does not travel to executors; filter its rows in a \
            query before",
            call.fun
        );
        return Err(DataFusionError::Plan(message));
    };
    *argument = when(*filter, argument.clone()).end()?;
    Ok(call)
}
