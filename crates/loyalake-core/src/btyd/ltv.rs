//! Lifetime value by closed formulas.

/// Days in a year, on average.
const DAYS_PER_YEAR: f64 = 365.25;

/// Lifetime value from averages: lifespan × (profit per purchase × purchases per year).
///
/// # Domain
/// `None` for a negative lifespan or rate; a negative profit gives a negative value.
///
/// # Example
/// ```
/// assert_eq!(loyalake_core::btyd::ltv::ltv_simple(3.0, 20.0, 4.0), Some(240.0));
/// ```
pub fn ltv_simple(
    lifespan_years: f64,
    profit_per_purchase: f64,
    purchases_per_year: f64,
) -> Option<f64> {
    (lifespan_years >= 0.0 && purchases_per_year >= 0.0)
        .then_some(lifespan_years * (profit_per_purchase * purchases_per_year))
}

/// Value of the coming periods under a constant margin, retention and discount rate, the first
/// margin being earned by who stays until the end of the first period.
///
/// Source: Gupta, Lehmann (2003), Customers as assets, Journal of Interactive Marketing 17(1).
///
/// # Formula
/// Σ_{k ≥ 1} m r^k / (1 + d)^k = m r / (1 + d − r)
///
/// # Domain
/// 0 ≤ r < 1 + d and r ≤ 1, d > −1, else `None`.
///
/// # Example
/// ```
/// let ltv = loyalake_core::btyd::ltv::ltv_margin(100.0, 0.8, 0.12).unwrap();
/// assert!((ltv - 250.0).abs() < 1e-9);
/// ```
pub fn ltv_margin(margin_per_period: f64, retention_rate: f64, discount_rate: f64) -> Option<f64> {
    let is_rate = (0.0..=1.0).contains(&retention_rate) && discount_rate > -1.0;
    let gap = 1.0 + discount_rate - retention_rate;
    (is_rate && gap > 0.0).then(|| margin_per_period * retention_rate / gap)
}

/// What a payment in `days` is worth today, at an effective yearly rate.
///
/// # Formula
/// (1 + rate)^(−days / 365.25)
///
/// # Domain
/// `None` for rates of −1 and below.
pub fn discount_factor(discount_rate_annual: f64, days: f64) -> Option<f64> {
    (discount_rate_annual > -1.0)
        .then(|| (-days / DAYS_PER_YEAR * discount_rate_annual.ln_1p()).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_without_loss_has_no_finite_value() {
        assert_eq!(ltv_margin(100.0, 1.0, 0.0), None);
        assert_eq!(ltv_margin(100.0, 1.2, 0.1), None);
        assert_eq!(ltv_margin(100.0, -0.1, 0.1), None);
        assert_eq!(ltv_margin(100.0, f64::NAN, 0.1), None);
    }

    #[test]
    fn margin_formula_is_the_sum_of_its_series() {
        let (r, d): (f64, f64) = (0.7, 0.1);
        let series: f64 = (1..400).map(|k| 50.0 * (r / (1.0 + d)).powi(k)).sum();
        assert!((ltv_margin(50.0, r, d).unwrap_or(0.0) / series - 1.0).abs() < 1e-14);
    }

    #[test]
    fn discount_of_one_year_is_the_annual_rate() {
        let factor = discount_factor(0.1, 365.25).unwrap_or(0.0);
        assert!((factor - 1.0 / 1.1).abs() < 1e-15);
        assert_eq!(discount_factor(-1.0, 10.0), None);
    }
}
