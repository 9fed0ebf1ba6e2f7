//! Runs that are killed, at each step of the protocol.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::execution::runtime_env::RuntimeEnv;
use loyalake_jobs::run::{Event, Step};
use loyalake_jobs::{Config, Observer, Project, RunOptions, run};
use loyalake_lake::Storage;
use loyalake_lake::delta::DeltaVersion;

use crate::shop::{Shop, date};

const DATE: &str = "2024-04-20";

/// Says to the test `a_run_for_others_to_kill` which project to run, and after which step to die.
const CONFIG: &str = "LOYALAKE_TEST_CONFIG";
const STEP: &str = "LOYALAKE_TEST_STEP";

/// Dies without a word.
fn die() -> ! {
    let id = std::process::id().to_string();
    let killed = Command::new("kill").args(["-KILL", &id]).status();
    panic!("kill returned {killed:?}");
}

/// Dies after a number of steps.
struct Mortal {
    steps: AtomicUsize,
}

impl Observer for Mortal {
    fn event(&self, event: Event<'_>) {
        let is_step = match event {
            Event::Reached(Step::Committed(table)) => {
                ["audit_results", "customer_segments", "segment_ltv", "runs"].contains(&table)
            }
            Event::Reached(_) => true,
            Event::Finished { name, .. } => name == "customer_ltv",
            _ => false,
        };
        if is_step && self.steps.fetch_sub(1, Ordering::SeqCst) == 1 {
            die();
        }
    }
}

#[tokio::test]
#[ignore = "it is killed by the test below"]
async fn a_run_for_others_to_kill() {
    let config = std::env::var(CONFIG).expect("a config");
    let config = Config::read(Path::new(&config)).expect("a config");
    let steps = std::env::var(STEP)
        .expect("a step")
        .parse()
        .expect("a number");
    let options = RunOptions {
        as_of_date: date(DATE),
        select: Vec::new(),
        full_refresh: false,
    };
    let observer = Arc::new(Mortal {
        steps: AtomicUsize::new(steps),
    });
    let project = Project::open(config).expect("a project");
    run(&project, &options, observer).await.expect("a run");
}

/// Whether a run of the shop in another process came to its end.
fn survives(shop: &Shop, step: usize) -> bool {
    let done = Command::new(std::env::current_exe().expect("a path"))
        .args(["--ignored", "--exact", "killed::a_run_for_others_to_kill"])
        .env(CONFIG, shop.path().join("lake.toml"))
        .env(STEP, step.to_string())
        .output()
        .expect("a process");
    let is_killed = done.status.code().is_none();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(is_killed || done.status.success(), "{text}");
    !is_killed
}

/// Orders of seven customers, in one of two versions.
async fn orders(shop: &mut Shop, version: usize) {
    let sql = format!(
        "select 'o' || value as order_id, value % 7 as customer_id, 'paid' as status,
            cast(value * {version} as double) as gross_amount,
            arrow_cast(1704067200 + value * 86400, 'Timestamp(Second, None)') as ordered_at
         from generate_series(1, 100)"
    );
    shop.given("orders", &sql).await;
}

const TABLES: [&str; 5] = [
    "customer_metrics",
    "customer_ltv",
    "customer_segments",
    "segment_ltv",
    "score_cuts",
];

/// What readers who go by the ledger see.
async fn published(shop: &Shop) -> Vec<Vec<String>> {
    let mut tables = Vec::new();
    for table in TABLES {
        let sql = format!("select * exclude (run_id) from {table} order by 1, 2");
        tables.push(shop.query(&sql).await);
    }
    tables
}

/// What readers of single tables see: each is of one run, and of one of these two.
async fn assert_tables_are_whole(shop: &Shop, step: usize) {
    let lake = shop.path().join("lake");
    for table in TABLES {
        let folder = Storage::default()
            .locate(table, &lake, &RuntimeEnv::default())
            .expect("a table");
        let version = DeltaVersion::open(&folder, None).await.expect("a log");
        let files = version.expect("a table").files().expect("files");
        let run = |path: &str| path.rsplit('/').nth(1).map(str::to_owned);
        let mut runs: Vec<_> = files
            .iter()
            .filter_map(|file| run(file.meta.location.as_ref()))
            .collect();
        runs.sort();
        runs.dedup();
        assert_eq!(runs.len(), 1, "step {step}: {table} is of {runs:?}");
    }
}

/// Nothing of a run but its tables is left.
fn assert_clean(shop: &Shop, step: usize) {
    let scratch = shop.path().join("lake_scratch");
    assert!(!scratch.exists(), "step {step}: {}", scratch.display());
    let runs = shop.path().join("lake/_loyalake/runs");
    let left: Vec<_> = std::fs::read_dir(runs).into_iter().flatten().collect();
    assert!(left.is_empty(), "step {step}: {left:?}");
}

#[tokio::test]
async fn a_killed_run_is_there_or_not_and_the_next_run_heals() {
    let mut shop = Shop::new();
    let mut expected = Vec::new();
    for version in [1, 2] {
        orders(&mut shop, version).await;
        shop.run(DATE).await;
        expected.push(published(&shop).await);
    }
    assert_ne!(expected[0], expected[1]);
    // the lake shows version 2, and each killed run was to publish the other one than there is
    let mut there = 1;
    for step in 1.. {
        orders(&mut shop, 2 - there).await;
        shop.save_config();
        let is_done = survives(&shop, step);
        let now = published(&shop).await;
        let found = expected.iter().position(|tables| *tables == now);
        let found = found.unwrap_or_else(|| panic!("step {step}: neither the old nor the new"));
        assert!(
            !is_done || found == 1 - there,
            "step {step}: a run that ended is there"
        );
        assert_tables_are_whole(&shop, step).await;
        shop.run(DATE).await;
        there = 1 - there;
        assert_eq!(
            published(&shop).await,
            expected[there],
            "step {step}: healed"
        );
        assert_clean(&shop, step);
        if is_done {
            assert!(step > 9, "only {step} steps");
            return;
        }
    }
}
