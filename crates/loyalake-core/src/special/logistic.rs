//! The logistic function and its integral, without overflow.

/// 1 / (1 + e^(−z)).
pub fn logistic(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// ln(1 + e^z).
pub fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_tails_neither_overflow_nor_lose_digits() {
        assert!((softplus(800.0) - 800.0).abs() < 1e-12);
        assert!((softplus(-40.0) / (-40.0_f64).exp() - 1.0).abs() < 1e-15);
        assert!((logistic(-700.0) / (-700.0_f64).exp() - 1.0).abs() < 1e-15);
        assert!((logistic(800.0) - 1.0).abs() < f64::EPSILON);
    }
}
