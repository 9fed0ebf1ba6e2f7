//! Leases: which runs are at work on a lake, and which have died.
//!
//! A run writes `_loyalake/runs/<run id>.json` before it stages anything. The lease says which
//! process it is and which folders it writes to, and is taken away when the run ends. So others
//! know what a run that died has left, and never touch anything of a live one.
//!
//! A run is dead when its process has ended, which is known on the same machine, or when it was
//! silent for longer than [`EXPIRY`]. The times that are compared for that are both the store's:
//! clocks of machines don't matter. A run that was only asleep finds that its lease is not held any
//! more, and gives up.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::process::Process;
use crate::{Location, Result, control, staging};

/// How often a live run says so.
const BEAT_EVERY: Duration = Duration::from_secs(15);

/// How long a run may be silent: eight beats.
const EXPIRY: TimeDelta = TimeDelta::seconds(120);

/// Endings of a run's files: who it is and where it writes; when it last said that it is alive;
/// that others took it for dead; that what it staged is published.
const CLAIM: &str = ".json";
const BEAT: &str = ".beat";
const DEAD: &str = ".dead";
const PUBLISHED: &str = ".published";

/// The right of a live run to the folders that it writes to.
#[derive(Debug)]
pub struct Lease {
    run_id: String,
    output: Location,
    beats: JoinHandle<()>,
}

/// What a run says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    run_id: String,
    process: Process,
    /// Paths below the output.
    folders: Vec<String>,
}

impl Lease {
    /// Says that a run is at work, and which folders below `output` it writes to.
    ///
    /// # Errors
    /// What the store says.
    pub async fn take(output: &Location, run_id: &str, folders: Vec<String>) -> Result<Self> {
        let claim = Claim {
            run_id: run_id.to_owned(),
            process: Process::current(),
            folders,
        };
        let runs = runs(output);
        control::create(&runs, &format!("{run_id}{CLAIM}"), &claim).await?;
        let beat = format!("{run_id}{BEAT}");
        let beats = tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT_EVERY).await;
                // a missed beat is no harm: the store may be back for the next one
                let _ = control::replace(&runs, &beat).await;
            }
        });
        Ok(Self {
            run_id: claim.run_id,
            output: output.clone(),
            beats,
        })
    }

    /// The run that holds it.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The lake that it is about.
    pub(crate) fn output(&self) -> &Location {
        &self.output
    }

    /// Whether nobody has taken the run for dead.
    ///
    /// # Errors
    /// What the store says.
    pub async fn is_held(&self) -> Result<bool> {
        // in this order: the claim goes before the mark
        Ok(!self.has(&self.run_id, DEAD).await? && self.has(&self.run_id, CLAIM).await?)
    }

    /// Whether a run may still be at work.
    pub(crate) async fn is_alive(&self, run_id: &str) -> Result<bool> {
        let runs = runs(&self.output);
        let name = format!("{run_id}{CLAIM}");
        let Some(claim) = control::read::<Claim>(&runs, &name).await? else {
            return Ok(false);
        };
        if claim.process.has_ended() == Some(true) {
            return Ok(false);
        }
        control::replace(&runs, &format!("{}{BEAT}", self.run_id)).await?;
        let now = self.last_sign(&self.run_id).await?;
        let last = self.last_sign(run_id).await?;
        let silence = now.zip(last).map(|(now, last)| now - last);
        Ok(silence.is_some_and(|silence| silence < EXPIRY))
    }

    /// Removes what dead runs left: staged files, the folder of their name in `scratch`, and their
    /// leases. `is_announced` tells runs whose files may be visible: those are left alone.
    pub(crate) async fn sweep(
        &self,
        scratch: &Location,
        is_announced: impl AsyncFn(&str) -> Result<bool>,
    ) -> Result<Vec<String>> {
        let mut swept = Vec::new();
        for run_id in self.other_runs().await? {
            if self.is_alive(&run_id).await? {
                continue;
            }
            let runs = runs(&self.output);
            // first the mark, then the look; a run that was only asleep announces first and then
            // looks for the mark: one of the two sees the other
            control::create(&runs, &format!("{run_id}{DEAD}"), &()).await?;
            if is_announced(&run_id).await? {
                continue;
            }
            // in this order: the claim goes before the mark, also when others do the same now
            let is_published = self.has(&run_id, PUBLISHED).await?;
            let claim = control::read::<Claim>(&runs, &format!("{run_id}{CLAIM}")).await?;
            if !is_published {
                for folder in claim.into_iter().flat_map(|claim| claim.folders) {
                    staging::remove(&self.output.child(&folder)).await?;
                }
            }
            staging::remove(&scratch.child(&run_id)).await?;
            self.forget(&run_id).await?;
            swept.push(run_id);
        }
        Ok(swept)
    }

    /// Ends it, when nothing is left that others would have to take away.
    ///
    /// # Errors
    /// What the store says.
    pub async fn release(&self) -> Result<()> {
        self.beats.abort();
        self.forget(&self.run_id).await
    }

    /// Says that the files of a run are published: they stay whatever becomes of the run.
    pub(crate) async fn keep_files_of(&self, run_id: &str) -> Result<()> {
        control::create(&runs(&self.output), &format!("{run_id}{PUBLISHED}"), &()).await?;
        Ok(())
    }

    /// The claim goes first: without the marks it would say that the run is at work, or that its
    /// folders may go.
    async fn forget(&self, run_id: &str) -> Result<()> {
        for ending in [CLAIM, BEAT, DEAD, PUBLISHED] {
            control::remove(&runs(&self.output), &format!("{run_id}{ending}")).await?;
        }
        Ok(())
    }

    /// Every other run of which a file is there.
    async fn other_runs(&self) -> Result<BTreeSet<String>> {
        let names = control::list(&runs(&self.output)).await?;
        let ids = names.iter().filter_map(|name| name.rsplit_once('.'));
        let ids = ids.map(|(run_id, _)| run_id.to_owned());
        Ok(ids.filter(|run_id| *run_id != self.run_id).collect())
    }

    async fn has(&self, run_id: &str, ending: &str) -> Result<bool> {
        let name = format!("{run_id}{ending}");
        let file = control::head(&runs(&self.output), &name).await?;
        Ok(file.is_some())
    }

    /// When a run last gave a sign of life, by the store's clock.
    async fn last_sign(&self, run_id: &str) -> Result<Option<DateTime<Utc>>> {
        let runs = runs(&self.output);
        let claim = control::head(&runs, &format!("{run_id}{CLAIM}")).await?;
        let beat = control::head(&runs, &format!("{run_id}{BEAT}")).await?;
        let signs = claim.into_iter().chain(beat);
        Ok(signs.map(|file| file.last_modified).max())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

/// Every run that has said that it is at work, alive or not, and has not published yet.
///
/// # Errors
/// What the store says.
pub async fn claimed_runs(output: &Location) -> Result<BTreeSet<String>> {
    let names: BTreeSet<String> = control::list(&runs(output)).await?.into_iter().collect();
    let claims = names.iter().filter_map(|name| name.strip_suffix(CLAIM));
    let is_open = |run_id: &&str| !names.contains(&format!("{run_id}{PUBLISHED}"));
    Ok(claims.filter(is_open).map(str::to_owned).collect())
}

fn runs(output: &Location) -> Location {
    control::folder(output, "runs")
}
