//! What happens in a run, for whoever shows it or waits for it.

/// What happens in a run, for whoever shows it.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A relation or a phase begins; `position` of `total`.
    Started {
        /// Its name.
        name: &'a str,
        /// Its number, from 1.
        position: usize,
        /// Number of all.
        total: usize,
    },
    /// Rows were written.
    Rows(usize),
    /// A step of the protocol is done.
    Reached(Step<'a>),
    /// It ended.
    Finished {
        /// Its name.
        name: &'a str,
        /// Rows written.
        rows: usize,
        /// Time taken.
        seconds: f64,
    },
}

/// Steps of a run after which something is different for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Others know that the run is at work.
    Leased,
    /// Every table is staged and audited.
    Audited,
    /// No other run can publish now.
    Announced,
    /// A table shows the run's rows.
    Committed(&'a str),
    /// Readers who go by the ledger see the run.
    Published,
    /// Nothing is left but tables.
    Cleaned,
}

/// Hears of what happens in a run.
pub trait Observer: Send + Sync {
    /// Called for each event, from any thread.
    fn event(&self, event: Event<'_>);
}
