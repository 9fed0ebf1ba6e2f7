//! Finding the best parameters of a model.

mod likelihood;
mod newton;

pub use likelihood::{Derivatives, Maximum, Outcome, maximise};
pub use newton::{Cholesky, minimise};
