//! Publications: several tables that become visible together, or not at all.
//!
//! A Delta commit is atomic for one table. For several tables one commit is made for each, and the
//! commit of the *ledger* comes last: it is the row that names the versions of all tables. Readers
//! who go by the ledger therefore see all of a publication or nothing of it.
//!
//! # Protocol
//! Publications are numbered, and happen one at a time. Number n is taken by creating
//! `_loyalake/publications/<n>.json`, which only one can do (conditional put), and which says whose
//! it is and at which version every table was then. Every commit of publication n carries the Delta
//! transaction identifier (`loyalake`, n), and is only made on a version whose identifier is not
//! greater. After the ledger's commit `<n>.closed` is created. A number may be taken when the one
//! before it is closed, or when its owner is dead; then it is taken to *settle* that one: if the
//! ledger's identifier is that of the dead publication, it was complete; if not, every table is
//! restored to the version that it had, the ledger first.
//!
//! # Proof
//! What a crash leaves, what readers see, and what the next publication does:
//!
//! | crash | left behind | tables | by the ledger | next run |
//! |---|---|---|---|---|
//! | before the entry | lease, staged and scratch files | old | old | removes them |
//! | after the entry | and the entry | old | old | settles: nothing to restore |
//! | after some commits | | some new | old | settles: restores these |
//! | after the ledger's | | new | new | settles: it was complete |
//! | after closing | perhaps the lease | new | new | removes what is left |
//!
//! - *Nothing half by the ledger*: it is one table, its commit is atomic, and it is made when all
//!   others are there. It names versions, and a version never changes.
//! - *Each table is old or new*: its one commit removes the old files of the date and adds the new.
//! - *Nothing twice*: a commit is made on version v as v + 1, by conditional put. When an answer is
//!   lost and the commit was made, the table's identifier is n: the second attempt sees that and
//!   makes no other.
//! - *A run that was taken for dead and wakes up does no harm*: settling commits number n + 1 to
//!   every table, the ledger first, each by conditional put. The sleeper's commit is either before
//!   that, and is restored, or finds a greater identifier and stops. Its ledger commit is either
//!   before that, and then it was complete, or impossible.
//! - *Settling is itself settled*: the entry that settles repeats what has to be restored, and
//!   restoring to a version can be done any number of times.
//! - *Staged files are removed only of dead runs without an open entry, and without the mark that
//!   they are published*, which is made before an entry is closed. Such a run may wake up and
//!   announce itself: it then looks for the mark of death, made before its files were removed, and
//!   for its claim.
//! - *Several may remove the same remains at once*: a run's claim, which names its folders, goes
//!   before its marks, and is looked for after them. So whoever misses a mark that was there misses
//!   the claim, too, and removes nothing.
//!
//! A table that a dead publication would have created can't be fenced, for it has no version yet: a
//! run that sleeps for two minutes between its last look at its lease and the first commit ever
//! made to a table leaves that table unnamed by the ledger until the date is run again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::delta::DeltaVersion;
use crate::publish::restore;
use crate::{LakeError, Lease, Location, Result, control};

/// How long a publication waits for the one before it: that takes seconds, unless a store is slow.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The right to commit to the tables of a lake.
#[derive(Debug)]
pub struct Publication {
    number: i64,
    lease: Arc<Lease>,
    entry: Entry,
}

/// What the log of publications says of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Whose it is: it may go on as long as this run is alive.
    run_id: String,
    /// The publication that is settled, where it is not one of its own.
    settles: Option<Settled>,
    /// The table whose commit completes it.
    ledger: String,
    /// The version that each table had when it began; null where there was no table.
    tables: BTreeMap<String, Option<u64>>,
}

/// A publication that somebody else brings to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Settled {
    number: i64,
    run_id: String,
}

/// How a publication ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is published.
    Complete,
    /// Nothing of it is visible any more.
    Undone,
}

impl Publication {
    /// Begins a publication of `tables`, when the one before it has ended. What a dead one left is
    /// settled first.
    ///
    /// # Errors
    /// [`LakeError::Busy`] when another one takes very long, [`LakeError::TakenForDead`] when
    /// others have removed the run's files, and what the store says.
    pub async fn begin(
        lease: &Arc<Lease>,
        ledger: &str,
        tables: impl IntoIterator<Item = &str>,
    ) -> Result<Self> {
        let names: Vec<&str> = tables.into_iter().collect();
        let output = lease.output();
        let started = Instant::now();
        loop {
            let log = Log::read(output).await?;
            if let Some((number, open)) = &log.open {
                if open.run_id != lease.run_id() && lease.is_alive(&open.run_id).await? {
                    if started.elapsed() > PATIENCE {
                        return Err(LakeError::Busy {
                            location: output.url().to_string(),
                            other: open.run_id.clone(),
                        });
                    }
                    tokio::time::sleep(LOOK_EVERY).await;
                } else {
                    settle(lease, *number, open).await?;
                }
                continue;
            }
            let current = current_versions(output, &names).await?;
            let number = 1 + log.last.max(greatest_identifier(&current).await?);
            let entry = Entry {
                run_id: lease.run_id().to_owned(),
                settles: None,
                ledger: ledger.to_owned(),
                tables: current
                    .into_iter()
                    .map(|(name, table)| (name, table.map(|table| table.version())))
                    .collect(),
            };
            if !announce(output, number, &entry).await? {
                continue;
            }
            let publication = Self {
                number,
                lease: Arc::clone(lease),
                entry,
            };
            if !lease.is_held().await? {
                close(output, number).await?;
                return Err(LakeError::TakenForDead {
                    run_id: lease.run_id().to_owned(),
                });
            }
            return Ok(publication);
        }
    }

    /// Its number, which is the transaction identifier of its commits.
    pub(crate) fn number(&self) -> i64 {
        self.number
    }

    /// The lake that it is about.
    pub(crate) fn output(&self) -> &Location {
        self.lease.output()
    }

    /// The version that a table had when it began.
    pub fn base(&self, table: &str) -> Option<u64> {
        self.entry.tables.get(table).copied().flatten()
    }

    /// Ends it after its last commit.
    ///
    /// # Errors
    /// What the store says; everything is published then, and others will settle what is left.
    pub async fn finish(self) -> Result<()> {
        self.lease.keep_files_of(self.lease.run_id()).await?;
        close(self.output(), self.number).await
    }

    /// Ends it after a failure: it turns out to be complete, or is taken back.
    ///
    /// # Errors
    /// What the store says; others will settle it then.
    pub async fn abandon(self) -> Result<Outcome> {
        let outcome = settle(&self.lease, self.number, &self.entry).await?;
        outcome.ok_or_else(|| LakeError::TakenForDead {
            run_id: self.lease.run_id().to_owned(),
        })
    }
}

/// Puts in order what dead runs left: publications that were not completed, staged files, folders
/// of their name in `scratch`, leases. Returns the runs.
///
/// # Errors
/// What the store says.
pub async fn recover(lease: &Lease, scratch: &Location) -> Result<Vec<String>> {
    let output = lease.output();
    while let Some((number, open)) = Log::read(output).await?.open {
        if lease.is_alive(&open.run_id).await? {
            break;
        }
        settle(lease, number, &open).await?;
    }
    let is_announced = async |run_id: &str| {
        let open = Log::read(output).await?.open;
        Ok(open.is_some_and(|(_, entry)| entry.is_of(run_id)))
    };
    lease.sweep(scratch, is_announced).await
}

/// Completes or undoes a publication whose owner can't or won't go on.
///
/// None when somebody else does.
async fn settle(lease: &Lease, number: i64, open: &Entry) -> Result<Option<Outcome>> {
    let output = lease.output();
    let settled = open.settles.clone().unwrap_or_else(|| Settled {
        number,
        run_id: open.run_id.clone(),
    });
    let entry = Entry {
        run_id: lease.run_id().to_owned(),
        settles: Some(settled.clone()),
        ..open.clone()
    };
    if !announce(output, number + 1, &entry).await? {
        return Ok(None);
    }
    let outcome = undo_unless_complete(output, number + 1, &entry, &settled).await?;
    if outcome == Outcome::Complete {
        lease.keep_files_of(&settled.run_id).await?;
    }
    close(output, number + 1).await?;
    Ok(Some(outcome))
}

/// The ledger goes first: from then on the publication that is settled can't complete itself.
async fn undo_unless_complete(
    output: &Location,
    number: i64,
    entry: &Entry,
    settled: &Settled,
) -> Result<Outcome> {
    let target = |name: &str| entry.tables.get(name).copied().flatten();
    let ledger = output.child(&entry.ledger);
    if !restore(&ledger, target(&entry.ledger), number, Some(settled.number)).await? {
        return Ok(Outcome::Complete);
    }
    let others = entry
        .tables
        .iter()
        .filter(|(name, _)| **name != entry.ledger);
    for (name, version) in others {
        restore(&output.child(name), *version, number, None).await?;
    }
    Ok(Outcome::Undone)
}

impl Entry {
    /// Whether files of a run are what it is about.
    fn is_of(&self, run_id: &str) -> bool {
        let settled = self.settles.as_ref().map(|settled| &settled.run_id);
        self.run_id == run_id || settled.is_some_and(|settled| settled == run_id)
    }
}

/// The log of publications.
struct Log {
    /// The greatest number, 0 when there is none.
    last: i64,
    /// The last one, if it is not closed.
    open: Option<(i64, Entry)>,
}

impl Log {
    async fn read(output: &Location) -> Result<Self> {
        let folder = publications(output);
        let names = control::list(&folder).await?;
        let greatest = |ending: &str| {
            let numbers = names.iter().filter_map(|name| name.strip_suffix(ending));
            let numbers = numbers.filter_map(|number| number.parse::<i64>().ok());
            numbers.max().unwrap_or_default()
        };
        let (announced, closed) = (greatest(".json"), greatest(".closed"));
        let mut open = None;
        if announced > closed {
            // None: it was closed and removed since the listing
            let entry = control::read(&folder, &format!("{}.json", name(announced))).await?;
            open = entry.map(|entry| (announced, entry));
        }
        Ok(Self {
            last: announced.max(closed),
            open,
        })
    }
}

/// Takes a number; false if somebody else has it.
async fn announce(output: &Location, number: i64, entry: &Entry) -> Result<bool> {
    let folder = publications(output);
    let file = format!("{}.json", name(number));
    if !control::create(&folder, &file, entry).await? {
        return Ok(false);
    }
    // a number that was taken, closed and removed since we looked is free again, but too late
    let is_last = Log::read(output).await?.last == number;
    if !is_last {
        control::remove(&folder, &file).await?;
    }
    Ok(is_last)
}

/// Says that a publication has ended, and removes all before it.
async fn close(output: &Location, number: i64) -> Result<()> {
    let folder = publications(output);
    control::create(&folder, &format!("{}.closed", name(number)), &()).await?;
    for file in control::list(&folder).await? {
        let parsed = file
            .split('.')
            .next()
            .and_then(|number| number.parse().ok());
        if parsed.is_some_and(|other: i64| other < number) {
            control::remove(&folder, &file).await?;
        }
    }
    Ok(())
}

fn publications(output: &Location) -> Location {
    control::folder(output, "publications")
}

/// Numbers in files sort as texts.
fn name(number: i64) -> String {
    format!("{number:020}")
}

async fn current_versions(
    output: &Location,
    names: &[&str],
) -> Result<BTreeMap<String, Option<DeltaVersion>>> {
    let open = async |name: &&str| {
        let table = DeltaVersion::open(&output.child(name), None).await?;
        Ok::<_, LakeError>(((*name).to_owned(), table))
    };
    let tables = try_join_all(names.iter().map(open)).await?;
    Ok(tables.into_iter().collect())
}

/// Numbers go on where the tables are, also when the log of publications was removed.
async fn greatest_identifier(tables: &BTreeMap<String, Option<DeltaVersion>>) -> Result<i64> {
    let mut greatest = 0;
    for table in tables.values().flatten() {
        greatest = greatest.max(table.publication().await?);
    }
    Ok(greatest)
}
