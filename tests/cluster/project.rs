//! The example Complete Journey, or a few files of orders, with a lake somewhere, and what runs
//! publish.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::SessionContext;
use serde_json::Value;
use tempfile::TempDir;

use crate::servers::{Bucket, block_on};

/// The sources' names, which are those of their files.
const SOURCES: [&str; 3] = ["transactions", "products", "demographics"];

/// What a run says of itself, in its project.
const REPORT: &str = "run.json";

/// The last day of the data.
const DATE: &str = "2017-12-31";

/// Relative difference of numbers that were summed in another order.
const TOLERANCE: f64 = 1e-9;

/// A project in a folder.
pub(crate) struct Shop(TempDir);

/// A run at work.
pub(crate) struct Run {
    child: Child,
    log: BufReader<ChildStderr>,
    said: String,
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/complete_journey")
}

/// Puts the sources into a bucket.
pub(crate) fn put_sources(bucket: &Bucket) {
    for name in SOURCES {
        let file = example().join(format!("data/{name}.parquet"));
        let path = format!("data/{name}.parquet");
        bucket.put(&path, fs::read(file).expect("a file of the example"));
    }
}

/// A file of so many orders of a month of 2017, as Parquet.
pub(crate) fn orders_of(month: u32, orders: u32) -> Vec<u8> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("orders.parquet").display().to_string();
    let query = format!(
        "select {month} * 10000 + value as order_id, value * 7919 % 400 as customer_id,
            'paid' as status, cast(10 + value % 83 as decimal(18, 4)) as gross_amount,
            date '2017-{month:02}-01' + cast(value * 13 % 28 as int) as ordered_at
        from generate_series(1, {orders})"
    );
    block_on(async {
        let frame = SessionContext::new().sql(&query).await.expect("rows");
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        frame
            .write_parquet(&path, options, None)
            .await
            .expect("a file")
    });
    fs::read(path).expect("a file")
}

/// What processes see of the environment.
pub(crate) fn environment(command: &mut Command) {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_ACCESS_KEY_ID", "tester")
        .env("AWS_SECRET_ACCESS_KEY", "any");
}

/// The sources and the SQL of the example.
fn complete_journey(data: &str) -> String {
    let sources = SOURCES.map(|name| {
        let location = format!("location = \"{data}/{name}.parquet\"");
        format!("[sources.{name}]\n{location}\nallow_outside = true\n")
    });
    let overrides = example().join("sql").display().to_string();
    let sql = format!("[sql]\noverrides = \"{overrides}\"\nallow_outside = true\n");
    sources.concat() + &sql
}

/// A source of orders as the contract wants them.
fn files_of_orders(location: &str) -> String {
    format!("[sources.orders]\nlocation = \"{location}\"\n")
}

impl Shop {
    /// One machine, with local files.
    pub(crate) fn local() -> Self {
        let data = example().join("data").display().to_string();
        Self::new("output = \"lake\"\n", &complete_journey(&data), "")
    }

    /// One machine, with files of orders beside the configuration.
    pub(crate) fn local_with_orders(months: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let shop = Self::new("output = \"lake\"\n", &files_of_orders("orders/"), "");
        let folder = shop.0.path().join("orders");
        fs::create_dir(&folder).expect("a folder");
        for (month, orders) in months {
            let path = folder.join(format!("{month:02}.parquet"));
            fs::write(path, orders_of(month, orders)).expect("a file");
        }
        shop
    }

    /// A cluster, with files on S3.
    pub(crate) fn on(url: &str, storage: &str, name: &str) -> Self {
        Self::on_with(url, storage, name, &complete_journey("s3://cluster/data"))
    }

    /// The same with files of orders in its folder.
    pub(crate) fn on_with_orders(url: &str, storage: &str, name: &str) -> Self {
        let orders = files_of_orders(&format!("s3://cluster/{name}/orders/"));
        Self::on_with(url, storage, name, &orders)
    }

    fn on_with(url: &str, storage: &str, name: &str, inputs: &str) -> Self {
        let lake = format!(
            "output = \"s3://cluster/{name}/lake\"\nscratch = \"s3://cluster/{name}/scratch\"\n"
        );
        let engine = format!(
            "[engine]\nkind = \"ballista\"\nurl = \"{url}\"\npartitions = 4\nlocal_below = \"0\"\n"
        );
        Self::new(&lake, inputs, &format!("{engine}[storage]\n{storage}"))
    }

    fn new(lake: &str, inputs: &str, rest: &str) -> Self {
        let config = format!(
            "[lake]\n{lake}{inputs}[parameters]\ntime_zone = \"America/New_York\"\n\
            reporting_currency = \"USD\"\n{rest}"
        );
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("lake.toml"), config).expect("a file");
        Self(folder)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loyalake"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        environment(&mut command);
        command
    }

    /// Begins a run.
    pub(crate) fn begin(&self) -> Run {
        self.begin_for(DATE)
    }

    /// Begins a run for a date.
    pub(crate) fn begin_for(&self, date: &str) -> Run {
        let mut command = self.command(&["run", "--as-of", date, "--report", REPORT]);
        let mut child = command.stdout(Stdio::null()).spawn().expect("a process");
        let log = BufReader::new(child.stderr.take().expect("its log"));
        let said = String::new();
        Run { child, log, said }
    }

    /// The bytes that the last run read of each input.
    pub(crate) fn bytes_read(&self) -> Vec<(String, u64)> {
        let report = fs::read(self.0.path().join(REPORT)).expect("a report");
        let report: Value = serde_json::from_slice(&report).expect("JSON");
        let inputs = report["inputs"].as_array().expect("inputs").iter();
        let bytes = inputs.map(|input| {
            let name = input["name"].as_str().expect("a name").to_owned();
            (name, input["bytes_read"].as_u64().expect("a number"))
        });
        bytes.collect()
    }

    /// All rows of all tables but the ledger, each with the name of its table.
    pub(crate) fn tables(&self) -> Vec<String> {
        let folder = example().join("../../sql/marts");
        let files = fs::read_dir(folder).expect("a folder").flatten();
        let names = files.filter_map(|file| {
            let name = file.path().file_stem()?.to_string_lossy().into_owned();
            (name != "runs").then_some(name)
        });
        let queries = names.map(|name| {
            format!("select '{name}' as name_of_table, * exclude (run_id) from history.{name};")
        });
        let queries: String = queries.collect();
        let arguments = [
            "sql",
            "--config",
            "lake.toml",
            "--format",
            "csv",
            "-c",
            &queries,
        ];
        let output = self.command(&arguments).output().expect("a process");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let rows = String::from_utf8(output.stdout).expect("text");
        let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
        rows.sort_by_cached_key(|row| {
            let (words, fractions) = words(row);
            let rounded = fractions.iter().map(|fraction| format!("{fraction:.6e}"));
            (words, rounded.collect::<Vec<_>>())
        });
        rows
    }
}

impl Run {
    /// Waits until so many relations are computed.
    pub(crate) fn wait_for(&mut self, relations: usize) {
        let mut computed = 0;
        while computed < relations {
            let mut line = String::new();
            let bytes = self.log.read_line(&mut line).expect("a line");
            self.said.push_str(&line);
            assert!(bytes > 0, "the run has ended:\n{}", self.said);
            computed += usize::from(line.contains("finished"));
        }
    }

    /// How it ended, and what it said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        self.log.read_to_string(&mut self.said).expect("its log");
        let status = self.child.wait().expect("it ends");
        (status.code(), self.said)
    }

    /// It succeeds.
    #[track_caller]
    pub(crate) fn must_end(self) {
        let (code, said) = self.end();
        assert_eq!(code, Some(0), "{said}");
    }
}

/// A row without its fractions, and these.
fn words(row: &str) -> (String, Vec<f64>) {
    let (mut words, mut fractions) = (String::new(), Vec::new());
    for word in row.split_inclusive([',', ':', '[', ']', '{', '}', '"']) {
        let number = word.trim_end_matches([',', ':', '[', ']', '{', '}', '"']);
        match number.parse::<f64>() {
            Ok(fraction) if number.contains(['.', 'e', 'N', 'i']) => {
                fractions.push(fraction);
                words.push('#');
                words.push_str(&word[number.len()..]);
            }
            _ => words.push_str(word),
        }
    }
    (words, fractions)
}

/// The rows are the same, but for the last digits of fractions.
#[track_caller]
pub(crate) fn assert_same(rows: &[String], expected: &[String]) {
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(expected) {
        let ((found, fractions), (words, others)) = (words(row), words(expected));
        assert_eq!(found, words, "\n{row}\n{expected}");
        let is_near = |(one, other): (&f64, &f64)| {
            let scale = one.abs().max(other.abs()).max(1.0);
            (one - other).abs() <= TOLERANCE * scale || (one.is_nan() && other.is_nan())
        };
        let are_near = fractions.iter().zip(&others).all(is_near);
        assert!(are_near, "\n{row}\n{expected}");
    }
}
