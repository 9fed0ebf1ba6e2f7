//! BG/NBD: repeat purchases of customers who may silently leave after each of them.
//!
//! Source: Fader, Hardie, Lee (2005), "Counting your customers" the easy way: an alternative to the
//! Pareto/NBD model, Marketing Science 24(2), equations 6 (likelihood) and 10 (conditional
//! expectation).
//!
//! Notation: see [`super::beta_geometric`]. Who never came back cannot have left: such customers
//! are alive for certain.

use super::beta_geometric::{self, BetaGeometric};
use super::{Collapsed, Fit, Model};
use crate::Result;

/// Name and parameters.
pub const MODEL: Model = Model {
    name: "bg_nbd",
    parameters: &["r", "alpha", "a", "b"],
    purchases: Some(|values| Ok(Box::new(try_new(values)?))),
};

const CHANCES_WHEN_NEW: f64 = 0.0;

/// The formulas for parameters r, α, a, b.
///
/// # Errors
/// When a parameter is not finite or not above 0.
///
/// # Example
/// ```
/// use loyalake_core::btyd::{History, PurchaseModel, bg_nbd};
///
/// let model = bg_nbd::try_new(&[0.243, 4.414, 0.793, 2.426])?;
/// let customer = History::try_new(2.0, 30.43, 38.86).unwrap();
/// assert!((model.expected_purchases(&customer, 39.0) - 1.226).abs() < 1e-3);
/// # Ok::<(), loyalake_core::Error>(())
/// ```
pub fn try_new(values: &[f64]) -> Result<BetaGeometric> {
    Ok(BetaGeometric::new(
        MODEL.parameters(values)?,
        CHANCES_WHEN_NEW,
    ))
}

/// The maximum likelihood fit to rows of repeat purchases, recency, age.
pub fn fit(data: Collapsed<3>) -> Fit {
    beta_geometric::fit(&MODEL, data, CHANCES_WHEN_NEW)
}
