//! The command: exit codes, messages that say where and how to fix it, and the formats of results.

#![expect(clippy::expect_used, reason = "tests")]

#[path = "command/housekeeping.rs"]
mod housekeeping;

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

#[path = "command/backfill.rs"]
mod backfill;
#[path = "command/read_only.rs"]
mod read_only;

const CONFIG: &str = "\
[lake]
output = \"lake\"
[sources.orders]
location = \"orders.csv\"
format = \"csv\"
[sql]
overrides = \"sql\"
";

const ORDERS: &str = "\
order_id,customer_id,ordered_at,status,gross_amount
1,7,2026-01-01T10:00:00Z,paid,10.00
2,7,2026-02-01T10:00:00Z,paid,20.00
3,8,2026-02-03T10:00:00Z,paid,30.00
";

/// A project in a folder of its own.
struct Shop(TempDir);

/// What a command left behind.
struct Done {
    code: i32,
    out: String,
    error: String,
}

impl Shop {
    fn new() -> Self {
        let shop = Self(TempDir::new().expect("a folder"));
        shop.write("lake.toml", CONFIG);
        shop.write("orders.csv", ORDERS);
        fs::create_dir(shop.0.path().join("sql")).expect("a folder");
        shop
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn loyalake(&self, arguments: &[&str]) -> Done {
        let output = Command::new(env!("CARGO_BIN_EXE_loyalake"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("LOYALAKE_LOG")
            .output()
            .expect("a process");
        Done::new(&output)
    }

    /// The exit code and message of a check.
    fn check(&self) -> (i32, String) {
        let done = self.loyalake(&["check"]);
        (done.code, done.error)
    }
}

impl Done {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().expect("an exit code");
        Self {
            code,
            out: text(&output.stdout),
            error: text(&output.stderr),
        }
    }
}

/// One after the other, all of these stand in the text.
#[track_caller]
fn assert_says((code, text): (i32, String), expected_code: i32, parts: &[&str]) {
    assert_eq!(code, expected_code, "{text}");
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in:\n{text}");
    }
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_key() {
    let shop = Shop::new();
    shop.write("lake.toml", &CONFIG.replace("location", "locaton"));
    let parts = [
        "lake.toml:4: unknown key 'locaton'; did you mean 'location'?",
        "orders.csv",
    ];
    assert_says(shop.check(), 2, &parts);
}

#[test]
fn a_config_that_is_not_there_is_named() {
    let shop = Shop::new();
    let done = shop.loyalake(&["run", "--config", "night.toml"]);
    assert_says(
        (done.code, done.error),
        2,
        &["night.toml", "name a config file with --config"],
    );
}

#[test]
fn a_location_that_does_not_exist_is_a_config_error() {
    let shop = Shop::new();
    shop.write("lake.toml", &CONFIG.replace("orders.csv", "data/orders/"));
    assert_says(shop.check(), 2, &["data/orders' does not exist"]);
}

#[test]
fn a_time_zone_that_is_none_offers_the_nearest() {
    let shop = Shop::new();
    shop.write(
        "lake.toml",
        &format!("{CONFIG}[parameters]\ntime_zone = \"Europe/Londn\"\n"),
    );
    let parts = ["lake.toml:9: unknown time_zone 'Europe/Londn'; did you mean 'Europe/London'?"];
    assert_says(shop.check(), 2, &parts);
}

#[test]
fn a_missing_column_names_source_column_and_what_was_found() {
    let shop = Shop::new();
    shop.write("orders.csv", &ORDERS.replace("status", "state"));
    let parts = [
        "source 'orders' (orders.csv): column 'status' is missing",
        "state",
        "stg_orders.sql",
    ];
    assert_says(shop.check(), 1, &parts);
}

#[test]
fn a_wrong_type_names_expected_and_found() {
    let shop = Shop::new();
    shop.write("lake.toml", &CONFIG.replace("csv", "json"));
    let order =
        r#"{"order_id":1,"customer_id":7,"ordered_at":true,"status":"paid","gross_amount":1.5}"#;
    shop.write("orders.json", order);
    assert_says(
        shop.check(),
        1,
        &["column 'ordered_at' must be timestamp, but is boolean"],
    );
}

#[test]
fn an_unknown_parameter_points_into_the_override() {
    let shop = Shop::new();
    shop.write(
        "sql/staging/stg_orders.sql",
        "select *\nfrom source.orders\nwhere 1 < $horizon_dys",
    );
    let parts = ["stg_orders.sql:3: unknown parameter $horizon_dys; did you mean $horizon_days?"];
    assert_says(shop.check(), 1, &parts);
}

#[test]
fn an_sql_error_points_into_the_override() {
    let shop = Shop::new();
    shop.write(
        "sql/staging/stg_orders.sql",
        "select *\nfrom from source.orders",
    );
    assert_says(
        shop.check(),
        1,
        &["stg_orders.sql:2:", "from from source.orders"],
    );
}

#[test]
fn an_unknown_column_points_into_the_override() {
    let shop = Shop::new();
    shop.write(
        "sql/staging/stg_orders.sql",
        "select\n    shop_number as order_id\nfrom source.orders",
    );
    assert_says(shop.check(), 1, &["stg_orders.sql:2:", "shop_number"]);
}

#[test]
fn jobs_that_read_each_other_are_named() {
    let shop = Shop::new();
    shop.write("sql/intermediate/int_one.sql", "select * from int_two");
    shop.write("sql/intermediate/int_two.sql", "select * from int_one");
    assert_says(
        shop.check(),
        1,
        &["circular jobs: int_one → int_two → int_one"],
    );
}

#[test]
fn an_override_that_drops_a_column_is_named_where_the_column_is_missed() {
    let shop = Shop::new();
    shop.write(
        "sql/staging/known_customers.sql",
        "select customer_id from stg_customers",
    );
    assert_says(
        shop.check(),
        1,
        &[
            "its input 'known_customers' is yours",
            "known_customers.sql",
        ],
    );
}

#[test]
fn unknown_arguments_are_wrong_usage() {
    let shop = Shop::new();
    for arguments in [
        &["run", "--as-of", "21.11.2026"][..],
        &["run", "--as-of", "2026-02-01..2026-01-01"],
        &["run", "--as-of", "2026-02-01", "--every", "month"],
        &["run", "--every", "month"],
        &["run", "--as-of", "2026-02-01", "--select", "customer_lvt"],
        &["rnu"],
        &["graph", "--format", "png"],
        &["functions", "bg_nbd_fti"],
        &["tables", "customer_lvt"],
        &["sql", "-f", "report.sql"],
        &["sql", "-c", "drop table orders"],
    ] {
        let done = shop.loyalake(arguments);
        assert_eq!(done.code, 2, "{arguments:?}: {}", done.error);
        assert!(!done.error.is_empty(), "{arguments:?}");
    }
}

#[test]
fn csv_tells_null_from_empty_and_nests_json() {
    let query = "select null as a, '' as b, make_array(1, 2) as c, struct('x, y' as name) as d";
    let done = Shop::new().loyalake(&["sql", "--format", "csv", "-c", query]);
    let expected = "a,b,c,d\n,\"\",\"[1,2]\",\"{\"\"name\"\":\"\"x, y\"\"}\"\n";
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, expected),
        "{}",
        done.error
    );
}

#[test]
fn several_statements_and_quoted_paths_are_answered_in_order() {
    let query = "select 1 as a; select sum(gross_amount) as total from 'orders.csv'";
    let done = Shop::new().loyalake(&["sql", "--format", "json", "-c", query]);
    let expected = "[{\"a\":1}]\n[{\"total\":60.0}]\n";
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, expected),
        "{}",
        done.error
    );
}

#[test]
fn a_wrong_query_is_shown_with_its_place() {
    let done = Shop::new().loyalake(&["sql", "-c", "select\n    a_column_that_is_not"]);
    assert_says(
        (done.code, done.error),
        1,
        &["query:2:", "a_column_that_is_not"],
    );
}

#[test]
fn a_project_is_checked_run_and_queried() {
    let shop = Shop::new();
    assert_says(shop.check(), 0, &[]);
    let run = shop.loyalake(&[
        "run",
        "--as-of",
        "2026-02-28",
        "--report",
        "run.json",
        "--log-format",
        "json",
    ]);
    assert_eq!(run.code, 0, "{}", run.error);
    let report = fs::read_to_string(shop.0.path().join("run.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["as_of_date"], "2026-02-28");
    assert!(
        run.out.contains(report["run_id"].as_str().expect("an id")),
        "{}",
        run.out
    );
    for line in run.error.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a JSON log line");
        assert!(line["level"].is_string());
    }
    let query =
        "select customer_id, orders, net_revenue from customer_metrics order by customer_id";
    let done = shop.loyalake(&[
        "sql",
        "--config",
        "lake.toml",
        "--format",
        "csv",
        "-c",
        query,
    ]);
    let expected = "customer_id,orders,net_revenue\n7,2,30.0000\n8,1,30.0000\n";
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, expected),
        "{}",
        done.error
    );
}

#[test]
fn a_range_that_stops_names_the_command_that_goes_on() {
    let shop = Shop::new();
    let bad = ORDERS.replace(
        "2026-02-03T10:00:00Z,paid,30.00",
        "2026-02-03T10:00:00Z,paid,-30.00",
    );
    shop.write("orders.csv", &bad);
    let done = shop.loyalake(&[
        "run",
        "--as-of",
        "2026-01-31..2026-03-31",
        "--every",
        "month",
    ]);
    let parts = [
        "too many quarantined rows",
        "loyalake run --config lake.toml --as-of 2026-",
    ];
    assert_says((done.code, done.error), 4, &parts);
}

#[test]
fn a_new_project_can_be_run_and_is_not_made_twice() {
    let shop = Shop::new();
    assert_eq!(shop.loyalake(&["init", "new"]).code, 0);
    let done = shop.loyalake(&["run", "--config", "new/lake.toml", "--as-of", "2026-03-31"]);
    assert_eq!(done.code, 0, "{}", done.error);
    let done = shop.loyalake(&["init", "new"]);
    assert_says((done.code, done.error), 2, &["folder 'new' is not empty"]);
}

#[test]
fn documentation_needs_no_project() {
    let shop = Shop::new();
    let contract = shop.loyalake(&["tables", "source.orders"]);
    assert_says(
        (contract.code, contract.out),
        0,
        &["ordered_at", "timestamp", "required"],
    );
    let table = shop.loyalake(&["tables", "customer_metrics"]);
    assert_says(
        (table.code, table.out),
        0,
        &["grain   customer_id", "decimal(18, 4)", "money"],
    );
    let function = shop.loyalake(&["functions", "bg_nbd_fit"]);
    assert_says(
        (function.code, function.out),
        0,
        &["aggregate function", "Example"],
    );
    let graph = shop.loyalake(&["graph", "--format", "mermaid"]);
    assert_says(
        (graph.code, graph.out),
        0,
        &["flowchart LR", "source.orders --> stg_orders"],
    );
}
