//! A fitted model, and how the fit ended.

use super::{Collapsed, Model};
use crate::Result;
use crate::optimize::{Derivatives, Maximum, Outcome, maximise};

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// An interior maximum of the likelihood.
    Ok,
    /// The likelihood keeps rising while a parameter runs away.
    Boundary,
    /// The search ended before the maximum.
    NotConverged,
    /// Too few customers, or nobody who says anything about the parameters.
    InsufficientData,
}

impl Status {
    /// As it is written in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Boundary => "boundary",
            Self::NotConverged => "not_converged",
            Self::InsufficientData => "insufficient_data",
        }
    }
}

/// A parameter's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The parameter's name.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// Its standard error by the observed information; none unless the status is ok.
    pub std_error: Option<f64>,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The model's name.
    pub model: &'static str,
    /// In the model's order; none when there was too little data.
    pub parameters: Option<Vec<Estimate>>,
    /// Of all customers.
    pub log_likelihood: Option<f64>,
    /// Customers the model was fitted to.
    pub customers: u64,
    /// Distinct rows among them.
    pub rows_distinct: u64,
    /// Rows outside the model's domain.
    pub rows_rejected: u64,
    /// Evaluations of the likelihood of all customers.
    pub iterations: u32,
    /// Largest derivative of the mean log-likelihood in the logarithms of the parameters, with time
    /// (or value) scaled to mean 1.
    pub gradient_norm: Option<f64>,
    /// How the fit ended.
    pub status: Status,
    /// In words, when the status is not ok.
    pub message: Option<String>,
}

impl Fit {
    /// A model with known parameters, fitted to no data.
    ///
    /// # Errors
    /// When the values cannot be the model's parameters.
    pub fn of_known_parameters(model: &Model, values: &[f64]) -> Result<Self> {
        model.check(values)?;
        let estimates = model.parameters.iter().zip(values);
        let estimates = estimates.map(|(name, value)| Estimate {
            name,
            value: *value,
            std_error: None,
        });
        Ok(Self {
            model: model.name,
            parameters: Some(estimates.collect()),
            log_likelihood: None,
            customers: 0,
            rows_distinct: 0,
            rows_rejected: 0,
            iterations: 0,
            gradient_norm: None,
            status: Status::Ok,
            message: None,
        })
    }

    /// The parameters' values, in the model's order.
    pub fn values(&self) -> Option<Vec<f64>> {
        let parameters = self.parameters.as_ref()?;
        Some(parameters.iter().map(|parameter| parameter.value).collect())
    }
}

/// What differs between models in a maximum likelihood fit to rows of N numbers.
pub(crate) struct FitProblem<'a, const N: usize, const P: usize> {
    pub(crate) model: &'a Model,
    pub(crate) data: Collapsed<N>,
    /// The column whose mean is scaled to 1.
    pub(crate) scaled_by: usize,
    /// The columns, and the parameters, in that unit.
    pub(crate) scaled_columns: &'a [usize],
    pub(crate) scaled_parameters: &'a [usize],
    pub(crate) starts: [[f64; P]; 3],
    /// What at least one customer must have.
    pub(crate) evidence: Evidence<N>,
}

/// What a customer must have to say anything about the parameters.
pub(crate) struct Evidence<const N: usize> {
    pub(crate) is_in: fn(&[f64; N]) -> bool,
    /// What customers without it lack, and what to do.
    pub(crate) name: &'static str,
}

impl<const N: usize> Evidence<N> {
    /// For rows that begin with the number of repeat purchases.
    pub(crate) const REPEAT_PURCHASE: Self = Self {
        is_in: |row| row[0] > 0.0,
        name: "a repeat purchase; fit a longer period",
    };
}

impl<const N: usize, const P: usize> FitProblem<'_, N, P> {
    /// Fits; `log_likelihood` sums over rows in ascending order, in scaled units, and `density` is
    /// the number of densities in the scaled unit that a row's likelihood is a product of.
    pub(crate) fn solve(
        self,
        log_likelihood: impl Fn(&[([f64; N], f64)], &[f64; P]) -> Derivatives<P>,
        density: impl Fn(&[f64; N]) -> f64,
    ) -> Fit {
        let of_rows = |rows: &Vec<_>, parameters: &[f64; P]| log_likelihood(rows, parameters);
        self.solve_prepared(|rows| rows, of_rows, density)
    }

    /// The same for a `log_likelihood` of what `prepare` makes of the rows: all that does not
    /// depend on the parameters.
    pub(crate) fn solve_prepared<D>(
        mut self,
        prepare: impl Fn(Vec<([f64; N], f64)>) -> D,
        log_likelihood: impl Fn(&D, &[f64; P]) -> Derivatives<P>,
        density: impl Fn(&[f64; N]) -> f64,
    ) -> Fit {
        let without_parameters = self.without_parameters();
        let mut rows = std::mem::take(&mut self.data).into_rows(|n| n as f64);
        let customers: f64 = rows.iter().map(|(_, n)| n).sum();
        let has_evidence = rows.iter().any(|(row, _)| (self.evidence.is_in)(row));
        let least = P as f64 + 1.0;
        if customers < least || !has_evidence {
            let message = if customers < least {
                format!("{customers} customers are too few for {P} parameters; {least} are needed")
            } else {
                format!("none of {customers} customers has {}", self.evidence.name)
            };
            return Fit {
                message: Some(message),
                ..without_parameters
            };
        }
        let total: f64 = rows.iter().map(|(row, n)| n * row[self.scaled_by]).sum();
        let scale = if total > 0.0 { total / customers } else { 1.0 };
        for (row, _) in &mut rows {
            self.scaled_columns
                .iter()
                .for_each(|column| row[*column] /= scale);
        }
        let densities: f64 = rows.iter().map(|(row, n)| n * density(row)).sum();
        let maximum = self.search(rows, customers, prepare, log_likelihood);
        self.describe(&maximum, scale, densities, &without_parameters)
    }

    /// The maximum; of many customers first those of samples, from where few steps are left.
    fn search<D>(
        &self,
        rows: Vec<([f64; N], f64)>,
        customers: f64,
        prepare: impl Fn(Vec<([f64; N], f64)>) -> D,
        log_likelihood: impl Fn(&D, &[f64; P]) -> Derivatives<P>,
    ) -> Maximum<P> {
        let [start, others @ ..] = self.starts;
        let mut sampled: Option<Maximum<P>> = None;
        for size in SAMPLES.into_iter().filter(|size| rows.len() > 2 * size) {
            let sample = sample(&rows, customers / size as f64);
            let size = sample.iter().map(|(_, n)| n).sum();
            let sample = prepare(sample);
            let of_sample = |parameters: &[f64; P]| log_likelihood(&sample, parameters);
            sampled = Some(match sampled {
                None => maximise(of_sample, size, start, &others),
                Some(before) => maximise(of_sample, size, before.parameters, &[]),
            });
        }
        let rows = prepare(rows);
        let all = |parameters: &[f64; P]| log_likelihood(&rows, parameters);
        if let Some(sampled) = sampled {
            let maximum = maximise(all, customers, sampled.parameters, &[]);
            if maximum.outcome == Outcome::Interior {
                return maximum;
            }
        }
        maximise(all, customers, start, &others)
    }

    fn describe(
        &self,
        maximum: &Maximum<P>,
        scale: f64,
        densities: f64,
        without_parameters: &Fit,
    ) -> Fit {
        let unit = |i: usize| {
            if self.scaled_parameters.contains(&i) {
                scale
            } else {
                1.0
            }
        };
        let estimate = |(i, name): (usize, &&'static str)| Estimate {
            name,
            value: maximum.parameters[i] * unit(i),
            std_error: maximum
                .covariance
                .map(|covariance| covariance[i][i].sqrt() * unit(i)),
        };
        let (status, message) = self.status(maximum);
        let names = self.model.parameters.iter();
        Fit {
            parameters: Some(names.enumerate().map(estimate).collect()),
            log_likelihood: Some(maximum.log_likelihood - densities * scale.ln()),
            iterations: maximum.iterations,
            gradient_norm: Some(maximum.gradient_norm),
            status,
            message,
            ..without_parameters.clone()
        }
    }

    fn status(&self, maximum: &Maximum<P>) -> (Status, Option<String>) {
        match maximum.outcome {
            Outcome::Interior => (Status::Ok, None),
            Outcome::RunsAway { parameter, upward } => {
                let name = self.model.parameters[parameter];
                let end = if upward { "infinity" } else { "0" };
                let message = format!(
                    "the likelihood keeps rising while {name} goes to {end}; parameters are the \
                     best found"
                );
                (Status::Boundary, Some(message))
            }
            Outcome::Flat => {
                let message = "the likelihood does not determine all parameters (singular \
                Hessian); parameters are the best found";
                (Status::Boundary, Some(message.to_string()))
            }
            Outcome::NotConverged => {
                let (iterations, gradient) = (maximum.iterations, maximum.gradient_norm);
                let message = format!(
                    "the search stopped after {iterations} evaluations with gradient {gradient:e}; \
                     parameters are the best found"
                );
                (Status::NotConverged, Some(message))
            }
        }
    }

    fn without_parameters(&mut self) -> Fit {
        self.data.settle();
        Fit {
            model: self.model.name,
            parameters: None,
            log_likelihood: None,
            customers: self.data.customers(),
            rows_distinct: self.data.distinct(),
            rows_rejected: self.data.rejected(),
            iterations: 0,
            gradient_norm: None,
            status: Status::InsufficientData,
            message: None,
        }
    }
}

/// Customers of whom first maxima are taken, one from where the other ended.
const SAMPLES: [usize; 2] = [10_000, 80_000];

/// Every `step`-th customer: as rows are sorted, those of all kinds in their proportions.
fn sample<const N: usize>(rows: &[([f64; N], f64)], step: f64) -> Vec<([f64; N], f64)> {
    let mut passed = 0.0;
    let picked = rows.iter().map(|(row, customers)| {
        let before = f64::floor(passed / step);
        passed += customers;
        (*row, f64::floor(passed / step) - before)
    });
    picked.filter(|(_, customers)| *customers > 0.0).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::simulate::{Shop, history};
    use super::super::{History, bg_nbd, mbg_nbd};
    use super::*;

    fn simulated(parameters: [f64; 4], customers: u64) -> Collapsed<3> {
        let shop = Shop {
            purchases: parameters,
            spend: [1.0, 2.0, 3.0],
        };
        let mut data = Collapsed::default();
        for customer in 0..customers {
            let purchases = shop.customer(1, customer, 730.0);
            let History { x, t_x, age } = history(&purchases, 730.0).unwrap();
            data.update([x, t_x, age], 1);
        }
        data
    }

    #[test]
    fn fit_recovers_simulated_parameters() {
        for truth in [
            [0.243, 30.9, 0.793, 2.426],
            [2.0, 60.0, 3.0, 4.0],
            [0.5, 30.0, 0.05, 5.0],
        ] {
            let fit = bg_nbd::fit(simulated(truth, 20_000));
            assert_eq!(fit.status, Status::Ok, "{fit:?}");
            for (estimate, truth) in fit.parameters.unwrap().iter().zip(truth) {
                let error = estimate.value - truth;
                assert!(
                    error.abs() < 3.5 * estimate.std_error.unwrap(),
                    "{estimate:?}, not {truth}"
                );
            }
        }
    }

    #[test]
    fn likelihood_that_rises_to_the_boundary_is_reported() {
        let mut nobody_leaves = Collapsed::default();
        for x in 1..40 {
            nobody_leaves.update([f64::from(x), 365.0, 365.0], 5);
        }
        let fit = bg_nbd::fit(nobody_leaves);
        assert_eq!(fit.status, Status::Boundary, "{fit:?}");
        assert!(fit.message.unwrap().contains("goes to"));
        assert!(
            fit.parameters
                .unwrap()
                .iter()
                .all(|p| p.value > 0.0 && p.std_error.is_none())
        );
    }

    #[test]
    fn too_little_data_has_a_status_and_no_parameters() {
        let mut nobody_returns = Collapsed::default();
        nobody_returns.update([0.0, 0.0, 38.0], 100);
        let mut few = nobody_returns.clone();
        few.update([2.0, 30.0, 38.0], 1);
        for (data, expected) in [
            (nobody_returns, Status::InsufficientData),
            (few, Status::Ok),
        ] {
            let fit = mbg_nbd::fit(data);
            let is_insufficient = fit.status == Status::InsufficientData;
            assert_eq!(
                is_insufficient,
                expected == Status::InsufficientData,
                "{fit:?}"
            );
            assert_eq!(is_insufficient, fit.parameters.is_none());
        }
    }
}
