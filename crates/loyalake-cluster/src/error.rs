//! What can go wrong between machines.

use std::error::Error;
use std::net::SocketAddr;

use ballista_core::error::BallistaError;
use datafusion::error::DataFusionError;
use loyalake_jobs::JobsError;

/// A condition that stops a job, or a role.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Nobody answers.
    #[error(
        "the scheduler at {url} can't be reached: {reason}; start it with `loyalake cluster \
        scheduler`, or correct its address (engine.url of a run, --scheduler of an executor), and \
        run again"
    )]
    Unreachable {
        /// The address in the configuration.
        url: String,
        /// What the network says.
        reason: String,
    },
    /// There is nobody to work.
    #[error(
        "the scheduler at {url} has had no executors for {seconds} s; start some with `loyalake \
        cluster executor`, and run again"
    )]
    NoExecutors {
        /// The address in the configuration.
        url: String,
        /// How long that was waited for.
        seconds: u64,
    },
    /// A job that failed on its executors.
    #[error("{0}")]
    Job(String),
    /// Results were lost with their executors, again and again.
    #[error("results were lost {times} times with the executors that had them: {reason}")]
    ResultsLost {
        /// How often it was tried.
        times: usize,
        /// What the network says.
        reason: String,
    },
    /// A role that can't start or go on.
    #[error("{role} at {address}: {reason}")]
    Role {
        /// Scheduler or executor.
        role: &'static str,
        /// Where it is, or would be.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The configuration.
    #[error(transparent)]
    Jobs(#[from] JobsError),
}

impl ClusterError {
    /// The error of a job, as far as executors' words say what it is about.
    pub(crate) fn job(words: &str) -> DataFusionError {
        let first = words.split("\n\nbacktrace").next().unwrap_or(words);
        let message = first.trim().to_owned();
        if message.contains("ResourcesExhausted") {
            // somebody computes it again with less memory
            return DataFusionError::ResourcesExhausted(message);
        }
        let is_of_files = ["Parquet", "Object Store", "ObjectStore", "IO error"]
            .iter()
            .any(|word| message.contains(word));
        if is_of_files {
            // somebody looks for the file that is to blame
            return DataFusionError::External(Box::new(Self::Job(message)));
        }
        DataFusionError::Execution(message)
    }

    pub(crate) fn role(role: &'static str, address: SocketAddr) -> impl Fn(BallistaError) -> Self {
        let address = address.to_string();
        move |error| Self::Role {
            role,
            address: address.clone(),
            reason: last_cause(&error),
        }
    }
}

/// Ends a run: a file is never to blame for what is between machines.
impl From<ClusterError> for DataFusionError {
    fn from(error: ClusterError) -> Self {
        Self::Execution(error.to_string())
    }
}

/// What the innermost error says.
pub(crate) fn last_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_failed_of_is_told_apart() {
        let error = |cause| {
            let words = "Job failed due to stage 3 failed: Task failed due to runtime execution";
            ClusterError::job(&format!("{words} error: DataFusionError({cause})"))
        };
        let of_memory = error("Shared(ResourcesExhausted(\"Failed to allocate 99.0 MB\"))");
        assert!(matches!(of_memory, DataFusionError::ResourcesExhausted(_)));
        let of_files = error("ParquetError(General(\"Parquet error: Invalid footer\"))");
        assert!(matches!(of_files, DataFusionError::External(_)));
        let other = error("ArrowError(DivideByZero, None)");
        assert!(matches!(other, DataFusionError::Execution(_)));
    }
}
