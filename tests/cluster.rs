//! A cluster of processes: a scheduler and two executors, a lake on S3, and machines that die.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "cluster/machines.rs"]
mod machines;
#[path = "cluster/project.rs"]
mod project;
#[expect(dead_code, reason = "the tests of object stores use the rest")]
#[path = "stores/servers.rs"]
mod servers;

use machines::Machines;
use project::{Run, Shop, assert_same};
use servers::{Bucket, moto};

/// Relations that are computed before a machine dies: about a third of all.
const BEFORE: usize = 12;

#[test]
fn a_cluster_gives_the_tables_of_one_machine_whoever_dies() {
    let Some(server) = moto() else { return };
    let bucket = Bucket::of_s3(server, "cluster");
    project::put_sources(&bucket);
    let local = Shop::local();
    local.begin().must_end();
    let expected = local.tables();
    assert!(expected.len() > 1000, "{}", expected.len());

    let storage = format!(
        "aws_endpoint = \"{}\"\naws_allow_http = true\n",
        server.url("").trim_end_matches('/')
    );
    let mut machines = Machines::start(&storage);
    let shop = |name: &str| Shop::on(&machines.url(), &storage, name);
    let (healthy, bereft, orphaned) = (shop("healthy"), shop("bereft"), shop("orphaned"));

    healthy.begin().must_end();
    assert_same(&healthy.tables(), &expected);

    let mut run = bereft.begin();
    run.wait_for(BEFORE);
    machines.kill_executor();
    run.must_end();
    assert_same(&bereft.tables(), &expected);

    lose_the_scheduler(&mut machines, orphaned.begin());
    let left = bucket.names("orphaned/lake");
    let published = left.iter().find(|name| name.contains("/_delta_log/"));
    assert_eq!(published, None);
    machines.start_scheduler();
    orphaned.begin().must_end();
    assert_same(&orphaned.tables(), &expected);
}

/// A run whose scheduler dies fails, and says what to do.
fn lose_the_scheduler(machines: &mut Machines, mut run: Run) {
    run.wait_for(BEFORE);
    machines.kill_scheduler();
    let (code, said) = run.end();
    assert_eq!(code, Some(1), "{said}");
    for part in [&machines.url(), "loyalake cluster scheduler", "run again"] {
        assert!(said.contains(part), "'{part}' is not in:\n{said}");
    }
}
