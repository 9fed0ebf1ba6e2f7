//! The nightly run on small given tables: what the rules make of them, and what a run leaves
//! behind.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "jobs/acquisition.rs"]
mod acquisition;
#[path = "jobs/backfill.rs"]
mod backfill;
#[path = "jobs/bad_files.rs"]
mod bad_files;
#[path = "jobs/bad_rows.rs"]
mod bad_rows;
#[path = "jobs/by_file.rs"]
mod by_file;
#[path = "jobs/contracts.rs"]
mod contracts;
#[path = "jobs/divided.rs"]
mod divided;
#[path = "jobs/erase.rs"]
mod erase;
#[path = "jobs/export.rs"]
mod export;
#[path = "jobs/feedback.rs"]
mod feedback;
#[path = "jobs/garbage.rs"]
mod garbage;
#[path = "jobs/grouping.rs"]
mod grouping;
#[path = "jobs/housekeeping.rs"]
mod housekeeping;
#[path = "jobs/killed.rs"]
mod killed;
#[path = "jobs/loyalty.rs"]
mod loyalty;
#[path = "jobs/maintain.rs"]
mod maintain;
#[path = "jobs/memory.rs"]
mod memory;
#[path = "jobs/models.rs"]
mod models;
#[path = "jobs/movement.rs"]
mod movement;
#[path = "jobs/orders.rs"]
mod orders;
#[path = "jobs/paths.rs"]
mod paths;
#[path = "jobs/protocol.rs"]
mod protocol;
#[path = "jobs/publishing.rs"]
mod publishing;
#[path = "jobs/reading.rs"]
mod reading;
#[path = "jobs/referrals.rs"]
mod referrals;
#[path = "jobs/reuse.rs"]
mod reuse;
#[path = "jobs/rollback.rs"]
mod rollback;
#[path = "jobs/segments.rs"]
mod segments;
#[path = "jobs/shop.rs"]
mod shop;
#[path = "jobs/sources.rs"]
mod sources;
