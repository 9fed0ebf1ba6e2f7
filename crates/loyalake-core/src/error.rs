//! What can be wrong with the parameters of a formula or with the values of an aggregate.

/// Why a formula cannot be set up or a value cannot be added.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A model needs another number of parameters.
    #[error(
        "{model} has {expected} parameters ({names}), but {found} are given; give them in this \
         order"
    )]
    ParameterCount {
        /// The model's name.
        model: &'static str,
        /// How many it has.
        expected: usize,
        /// What they are called.
        names: String,
        /// How many there were.
        found: usize,
    },
    /// A parameter lies outside the model's domain.
    #[error(
        "{model} needs a finite {parameter} above 0, but it is {value}; take parameters from a \
         fit with status ok"
    )]
    ParameterOutOfDomain {
        /// The model's name.
        model: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        value: f64,
    },
    /// No model has this name.
    #[error("model '{name}' is not known; write one of {known}")]
    UnknownModel {
        /// The name that was given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The model describes something else.
    #[error("model '{model}' says nothing about {subject}; pass a fit of {known}")]
    OtherSubject {
        /// The model's name.
        model: &'static str,
        /// What was asked of it.
        subject: &'static str,
        /// The models that do.
        known: String,
    },
    /// A sum of money left the range of its type.
    #[error(
        "the total value of a customer exceeds the range of its type; \
         check the values or cast them to double"
    )]
    TotalOverflow,
    /// Purchases of a customer are counted in 32 bits.
    #[error("a customer has more than 4294967295 purchases; check the keys of the groups")]
    TooManyPurchases,
    /// Group numbers have 32 bits.
    #[error("{groups} groups at once, but 4294967295 is the most; use more partitions")]
    TooManyGroups {
        /// How many there were.
        groups: usize,
    },
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
