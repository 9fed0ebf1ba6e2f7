//! A cluster of processes: a scheduler and two executors, a lake on S3, and machines that die.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "cluster/machines.rs"]
mod machines;
#[path = "cluster/project.rs"]
mod project;
#[expect(dead_code, reason = "the tests of object stores use the rest")]
#[path = "stores/servers.rs"]
mod servers;

use std::collections::BTreeSet;

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
    assert_eq!(healthy.bytes_read(), local.bytes_read());

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

    let growing = Shop::on_with_orders(&machines.url(), &storage, "growing");
    read_new_files_alone(&growing, &bucket);
}

/// A night later one more file of orders is there, and one has fewer orders: what others gave is
/// used, and the tables are those of one machine that reads them all.
fn read_new_files_alone(growing: &Shop, bucket: &Bucket) {
    let put = |(month, orders): (u32, u32)| {
        let path = format!("growing/orders/{month:02}.parquet");
        bucket.put(&path, project::orders_of(month, orders));
    };
    let kept = || -> BTreeSet<String> {
        let names = bucket.names("growing/lake/_loyalake/kept/stg_orders");
        let files = names.into_iter();
        files.filter(|name| name.ends_with(".parquet")).collect()
    };
    let months = |changed: u32| [(1, 3000), (2, 2000), (3, 2500), (4, changed), (5, 500)];
    let added = (6, 1500);
    let nights = [
        ("2017-06-29", months(3500).to_vec()),
        ("2017-06-30", [&months(1000)[..], &[added]].concat()),
    ];
    months(3500).into_iter().for_each(put);
    growing.begin_for(nights[0].0).must_end();
    let before = kept();
    [months(1000)[3], added].into_iter().for_each(put);
    growing.begin_for(nights[1].0).must_end();
    let after = kept();
    let used_again = before.intersection(&after).count();
    assert_eq!((before.len(), used_again, after.len()), (5, 4, 6));
    for (date, months) in nights {
        let local = Shop::local_with_orders(months);
        local.begin_for(date).must_end();
        assert_same(&rows_of(growing, date), &rows_of(&local, date));
    }
}

/// The rows of a date, but for those that compare with the date before.
fn rows_of(shop: &Shop, date: &str) -> Vec<String> {
    let rows = shop.tables().into_iter();
    let rows = rows.filter(|row| row.ends_with(date) && !row.starts_with("loyalty_scores,"));
    let rows: Vec<String> = rows.collect();
    assert!(rows.len() > 1000, "{} rows", rows.len());
    rows
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
