//! Two measures, each high or low: the four kinds of customers that follow.
//!
//! Source: Dick and Basu (1994), "Customer Loyalty: Toward an Integrated Conceptual Framework",
//! Journal of the Academy of Marketing Science 22(2), figure 2; Jones and Sasser (1995), "Why
//! Satisfied Customers Defect", Harvard Business Review 73(6).

/// Names of loyalty by behaviour and attitude.
pub const LOYALTY_TYPES: Quadrants = Quadrants {
    both: "true",
    first: "spurious",
    second: "latent",
    none: "none",
};

/// Names of customers by satisfaction and loyalty.
pub const SATISFACTION_LOYALTY: Quadrants = Quadrants {
    both: "loyalist",
    first: "mercenary",
    second: "hostage",
    none: "defector",
};

/// The names of the four fields of two measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quadrants {
    both: &'static str,
    first: &'static str,
    second: &'static str,
    none: &'static str,
}

impl Quadrants {
    /// The name for two values and their cuts; a value at its cut is high.
    ///
    /// # Domain
    /// None when any of the four is NaN.
    pub fn name(&self, values: [f64; 2], cuts: [f64; 2]) -> Option<&'static str> {
        if values.iter().chain(&cuts).any(|value| value.is_nan()) {
            return None;
        }
        Some(match (values[0] >= cuts[0], values[1] >= cuts[1]) {
            (true, true) => self.both,
            (true, false) => self.first,
            (false, true) => self.second,
            (false, false) => self.none,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeat_purchase_without_attitude_is_spurious_loyalty() {
        assert_eq!(
            LOYALTY_TYPES.name([80.0, 20.0], [50.0, 50.0]),
            Some("spurious")
        );
        assert_eq!(
            LOYALTY_TYPES.name([20.0, 80.0], [50.0, 50.0]),
            Some("latent")
        );
    }

    #[test]
    fn dissatisfied_customers_who_stay_are_hostages() {
        assert_eq!(
            SATISFACTION_LOYALTY.name([20.0, 80.0], [50.0, 50.0]),
            Some("hostage")
        );
        assert_eq!(
            SATISFACTION_LOYALTY.name([80.0, 20.0], [50.0, 50.0]),
            Some("mercenary")
        );
    }

    #[test]
    fn a_value_at_the_cut_is_high_and_nan_is_nothing() {
        assert_eq!(LOYALTY_TYPES.name([50.0, 50.0], [50.0, 50.0]), Some("true"));
        assert_eq!(LOYALTY_TYPES.name([f64::NAN, 50.0], [50.0, 50.0]), None);
    }
}
