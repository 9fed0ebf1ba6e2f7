//! Runs on several machines: Apache Ballista as an engine.
//!
//! [`Cluster`] is what a run computes with, [`scheduler`] and [`executor`] are what has to be at
//! work for it. The client makes the physical plans, from its own tables and views, and these
//! travel: `travel` turns them into what can be sent, `codec` knows our nodes. Executors read
//! and write the lake's stores themselves; what comes back to the client is small.

mod broadcast;
mod client;
mod codec;
mod error;
mod roles;
mod session;
mod travel;
mod windows;

pub use client::Cluster;
pub use error::ClusterError;
pub use roles::{Executor, Scheduler, executor, scheduler};
