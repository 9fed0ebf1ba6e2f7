//! MBG/NBD: repeat purchases of customers who may silently leave after each purchase, the first
//! included.
//!
//! Source: Batislam, Denizel, Filiztekin (2007), Empirical validation and comparison of models for
//! customer base analysis, International Journal of Research in Marketing 24(3).
//!
//! Notation: see [`super::beta_geometric`].

use super::beta_geometric::{self, BetaGeometric};
use super::{Collapsed, Fit, Model};
use crate::Result;

/// Name and parameters.
pub const MODEL: Model = Model {
    name: "mbg_nbd",
    parameters: &["r", "alpha", "a", "b"],
    purchases: Some(|values| Ok(Box::new(try_new(values)?))),
};

const CHANCES_WHEN_NEW: f64 = 1.0;

/// The formulas for parameters r, α, a, b.
///
/// # Errors
/// When a parameter is not finite or not above 0.
///
/// # Example
/// ```
/// use loyalake_core::btyd::{History, PurchaseModel, mbg_nbd};
///
/// let model = mbg_nbd::try_new(&[0.525, 6.183, 0.891, 1.614])?;
/// let one_time_buyer = History::try_new(0.0, 0.0, 38.86).unwrap();
/// assert!((model.p_alive(&one_time_buyer) - 0.389735).abs() < 1e-6);
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
