//! What other engines read in a published lake is what we read.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::servers::{missing, tool};
use crate::shop::{DATE, Shop, tables};

const ENGINES: [&str; 4] = ["polars", "pandas", "pyarrow", "duckdb"];

/// Types by the names that Arrow gives them in Python.
fn python_type(ours: &str) -> String {
    let plain = match ours {
        "Utf8" | "Utf8View" => "string",
        "Int32" => "int32",
        "Int64" => "int64",
        "Float64" => "double",
        "Boolean" => "bool",
        "Date32" => "date32[day]",
        "Timestamp(µs, \"UTC\")" => "timestamp[us, tz=UTC]",
        decimal if decimal.starts_with("Decimal128") => return decimal.to_lowercase(),
        list if list.starts_with("List") => "list",
        other => panic!("no table has had a column of type {other} so far; add it here"),
    };
    plain.to_owned()
}

/// Columns of a table, with their types.
fn columns(shop: &Shop, table: &str) -> BTreeMap<String, String> {
    let answer = shop.query(&format!("describe history.{table}"));
    let described = answer.lines().skip(1).map(|line| {
        let (name, rest) = line.split_once(',').expect("a column");
        let data_type = rest.trim_end_matches(",YES").trim_matches('"');
        (
            name.to_owned(),
            python_type(&data_type.replace("\"\"", "\"")),
        )
    });
    described.collect()
}

/// Number of rows and sums of the numeric columns, as we read them.
fn counted(shop: &Shop, table: &str, numeric: &[&String]) -> Vec<Option<f64>> {
    let sums = numeric
        .iter()
        .map(|column| format!(", sum(cast({column} as double))"));
    let answer = shop.query(&format!(
        "select count(*){} from history.{table} where as_of_date = date '{DATE}'",
        sums.collect::<Vec<_>>().concat()
    ));
    let values = answer.lines().nth(1).expect("a row").split(',');
    values.map(|value| value.parse().ok()).collect()
}

#[test]
fn polars_pandas_and_duckdb_read_what_we_read() {
    let Some(python) = tool("python").or_else(|| tool("python3")) else {
        return;
    };
    let has_packages = Command::new(&python)
        .args(["-c", "import deltalake, duckdb, pandas, polars, pyarrow"])
        .output()
        .expect("python");
    if !has_packages.status.success() {
        missing("one of the Python packages deltalake, duckdb, pandas, polars and pyarrow");
        return;
    }
    let shop = Shop::local();
    for date in [DATE, "2024-05-31", DATE] {
        let done = shop.loyalake(&["run", "--as-of", date]);
        assert_eq!(done.code, 0, "{}", done.error);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/stores/readers.py");
    let read = Command::new(&python)
        .arg(script)
        .arg(shop.path("lake"))
        .arg(DATE)
        .output()
        .expect("python");
    let error = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{error}");
    let text = String::from_utf8(read.stdout).expect("a text in UTF-8");
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(answers.len(), tables().len() * ENGINES.len());
    for table in tables() {
        let columns = columns(&shop, &table);
        let of_table = answers.iter().filter(|answer| answer["table"] == *table);
        let of_table: Vec<&Value> = of_table.collect();
        let sums = of_table[0]["sums"].as_object().expect("sums");
        let numeric: Vec<&String> = sums.keys().collect();
        let expected = counted(&shop, &table, &numeric);
        for answer in of_table {
            assert_same(answer, &columns, &numeric, &expected);
        }
    }
}

/// An engine reads the same columns, rows and sums, and needs nothing special for it.
fn assert_same(
    answer: &Value,
    columns: &BTreeMap<String, String>,
    numeric: &[&String],
    expected: &[Option<f64>],
) {
    let who = format!("{} in {}", answer["engine"], answer["table"]);
    assert_eq!(answer["reader"], 1, "{who}");
    assert_eq!(answer["writer"], 2, "{who}");
    assert_eq!(answer["features"], Value::Array(Vec::new()), "{who}");
    let found = answer["types"].as_object().expect("types").iter();
    let found: BTreeMap<String, String> = found
        .map(|(name, data_type)| {
            let data_type = data_type.as_str().expect("a type").replace("large_", "");
            let outer = data_type.split('<').next().unwrap_or_default();
            let plain = outer.replace("string_view", "string");
            (name.clone(), plain.replace("Etc/UTC", "UTC"))
        })
        .collect();
    assert_eq!(found, *columns, "{who}");
    assert_eq!(answer["rows"].as_f64(), expected[0], "{who}");
    for (column, expected) in numeric.iter().zip(&expected[1..]) {
        let sum = answer["sums"][column.as_str()].as_f64();
        let is_near = match (sum, expected) {
            (Some(sum), Some(expected)) => (sum - expected).abs() <= 1e-12 * expected.abs(),
            (sum, expected) => sum == *expected,
        };
        assert!(
            is_near,
            "{who}: {column} is {sum:?}, and {expected:?} for us"
        );
    }
}
