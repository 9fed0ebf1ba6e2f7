//! Maximum likelihood for models whose parameters are all positive.

use super::newton::{Cholesky, Minimum, Quadratic, minimise};

/// Parameters beyond this factor from 1 run away: the rows are to be scaled so that 1 is an
/// ordinary size.
const EDGE: f64 = 1e6;
/// A mean log-likelihood is at its maximum when its gradient in the logarithms of the parameters is
/// below.
const GRADIENT_IS_SMALL: f64 = 1e-6;

/// A log-likelihood with its derivatives in the parameters themselves.
#[derive(Debug, Clone, Copy)]
pub struct Derivatives<const P: usize> {
    /// The log-likelihood.
    pub value: f64,
    /// First derivatives.
    pub gradient: [f64; P],
    /// Second derivatives; the lower triangle is enough.
    pub hessian: [[f64; P]; P],
}

impl<const P: usize> Derivatives<P> {
    /// The log-likelihood of no customers.
    pub const ZERO: Self = Self {
        value: 0.0,
        gradient: [0.0; P],
        hessian: [[0.0; P]; P],
    };

    /// Adds `weight` customers with the same log-likelihood.
    pub fn add(&mut self, weight: f64, other: &Self) {
        self.value += weight * other.value;
        for i in 0..P {
            self.gradient[i] += weight * other.gradient[i];
            for j in 0..=i {
                self.hessian[i][j] += weight * other.hessian[i][j];
            }
        }
    }

    /// Minus the mean over `customers`, in the logarithms of the parameters.
    fn in_logarithms(&self, parameters: &[f64; P], customers: f64) -> Quadratic<P> {
        let gradient: [f64; P] =
            std::array::from_fn(|i| -parameters[i] * self.gradient[i] / customers);
        let hessian = std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                let second = self.hessian[i.max(j)][i.min(j)] / customers;
                let curvature = -parameters[i] * parameters[j] * second;
                curvature + if i == j { gradient[i] } else { 0.0 }
            })
        });
        Quadratic {
            value: -self.value / customers,
            gradient,
            hessian,
        }
    }
}

/// How a search for the maximum ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An interior maximum.
    Interior,
    /// The likelihood rises while this parameter goes to 0 or to infinity.
    RunsAway {
        /// Its position.
        parameter: usize,
        /// To infinity, not to 0.
        upward: bool,
    },
    /// The gradient vanishes but some direction is flat.
    Flat,
    /// The search ended before the maximum.
    NotConverged,
}

/// The best parameters found.
#[derive(Debug, Clone, Copy)]
pub struct Maximum<const P: usize> {
    /// How the search ended.
    pub outcome: Outcome,
    /// The parameters.
    pub parameters: [f64; P],
    /// Their covariance by the observed information, at an interior maximum.
    ///
    /// # Formula
    /// Vᵢⱼ = pᵢ pⱼ (H⁻¹)ᵢⱼ with H in the logarithms of the parameters (delta method).
    pub covariance: Option<[[f64; P]; P]>,
    /// The log-likelihood of all customers.
    pub log_likelihood: f64,
    /// Evaluations of the likelihood, over all starting points.
    pub iterations: u32,
    /// Largest derivative of the mean log-likelihood in the logarithms of the parameters.
    pub gradient_norm: f64,
}

/// The maximum of a log-likelihood over positive parameters, the best of the searches from all
/// starting points.
pub fn maximise<const P: usize>(
    log_likelihood: impl Fn(&[f64; P]) -> Derivatives<P>,
    customers: f64,
    start: [f64; P],
    others: &[[f64; P]],
) -> Maximum<P> {
    let objective = |logarithms: &[f64; P]| {
        let parameters = logarithms.map(f64::exp);
        log_likelihood(&parameters).in_logarithms(&parameters, customers)
    };
    let search = |start: [f64; P]| minimise(objective, start.map(f64::ln), EDGE.ln());
    let mut best = search(start);
    let mut iterations = best.iterations;
    for other in others {
        let other = search(*other);
        iterations += other.iterations;
        if other.at.value < best.at.value {
            best = other;
        }
    }
    let information = Cholesky::try_new(&best.at.hessian);
    let outcome = outcome(&best, information.is_some());
    let parameters = best.point.map(f64::exp);
    let covariance = information
        .filter(|_| outcome == Outcome::Interior)
        .map(|information| {
            let inverse = information.inverse();
            std::array::from_fn(|i| {
                std::array::from_fn(|j| parameters[i] * parameters[j] * inverse[i][j] / customers)
            })
        });
    Maximum {
        outcome,
        parameters,
        covariance,
        log_likelihood: -best.at.value * customers,
        iterations,
        gradient_norm: best.at.gradient_norm(),
    }
}

fn outcome<const P: usize>(best: &Minimum<P>, is_definite: bool) -> Outcome {
    let runaway = best.point.iter().position(|x| x.abs() >= EDGE.ln());
    if let Some(parameter) = runaway {
        return Outcome::RunsAway {
            parameter,
            upward: best.point[parameter] > 0.0,
        };
    }
    let is_at_maximum = best.at.gradient_norm() < GRADIENT_IS_SMALL;
    match (is_at_maximum && !best.limit_reached, is_definite) {
        (true, true) => Outcome::Interior,
        (true, false) => Outcome::Flat,
        (false, _) => Outcome::NotConverged,
    }
}
