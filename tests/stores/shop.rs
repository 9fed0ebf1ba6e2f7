//! A small shop, whose sources and lake may be anywhere, run by the command.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::servers::{ACCOUNT, ACCOUNT_KEY, Server};

/// What the store's password is in the tests: no output may hold it.
pub(crate) const SECRET: &str = "no-one-may-read-this-9a7c";

/// The date that the tests run.
pub(crate) const DATE: &str = "2024-06-30";

/// A project in a folder, and the environment that its command sees.
pub(crate) struct Shop {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    sources: String,
    storage: String,
    lake: String,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Done {
    pub(crate) fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            error: text(&output.stderr),
        }
    }

    /// It failed with a code, and said all of these.
    #[track_caller]
    pub(crate) fn assert_failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.error);
        for part in parts {
            assert!(
                self.error.contains(part),
                "'{part}' is not in:\n{}",
                self.error
            );
        }
    }
}

/// Orders of 17 customers, and one row that breaks a rule.
pub(crate) fn orders() -> String {
    let mut text = "order_id,customer_id,ordered_at,status,gross_amount\n".to_owned();
    for order in 1..=150 {
        let (month, day) = (order / 28 + 1, order % 28 + 1);
        let (customer, amount) = (order * order % 17, order % 13 * 5 + 1);
        let _ = writeln!(
            text,
            "{order},{customer},2024-{month:02}-{day:02}T10:00:00Z,paid,{amount}.25"
        );
    }
    text + "151,3,2024-06-01T10:00:00Z,paid,\n"
}

impl Shop {
    /// A shop whose lake is here, with no sources.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a folder"),
            environment: Vec::new(),
            sources: String::new(),
            storage: String::new(),
            lake: "output = \"lake\"\n".to_owned(),
        }
    }

    /// The same shop with nothing but local files.
    pub(crate) fn local() -> Self {
        let shop = Self::new();
        fs::write(shop.path("orders.csv"), orders()).expect("a file");
        shop.source("orders", "orders.csv", "csv")
    }

    /// Where the folders of the lake are.
    pub(crate) fn lake(mut self, output: &str, scratch: &str) -> Self {
        self.lake = format!("output = \"{output}\"\nscratch = \"{scratch}\"\n");
        self
    }

    /// Where a source is.
    pub(crate) fn source(mut self, name: &str, location: &str, format: &str) -> Self {
        let _ = writeln!(
            self.sources,
            "[sources.{name}]\nlocation = \"{location}\"\nformat = \"{format}\""
        );
        self
    }

    /// Where a source of the shop's own is; its rows are read as `source.<name>`.
    pub(crate) fn own_source(self, name: &str, location: &str, format: &str) -> Self {
        let folder = self.path("sql/staging");
        fs::create_dir_all(&folder).expect("a folder");
        let reader = format!("select * from source.{name}");
        fs::write(folder.join(format!("{name}_rows.sql")), reader).expect("a file");
        self.source(name, location, format)
    }

    /// Lines of `[storage]`.
    pub(crate) fn storage(mut self, lines: &str) -> Self {
        self.storage.push_str(lines);
        self
    }

    /// A variable of the environment.
    pub(crate) fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Reaches S3 at an address.
    pub(crate) fn s3(self, port: u16) -> Self {
        let lines = format!("aws_endpoint = \"http://127.0.0.1:{port}\"\naws_allow_http = true\n");
        self.storage(&lines)
            .variable("AWS_ACCESS_KEY_ID", "tester")
            .variable("AWS_SECRET_ACCESS_KEY", SECRET)
    }

    /// Reaches Azure.
    pub(crate) fn azure(self, server: &Server) -> Self {
        let lines = format!(
            "azure_storage_endpoint = \"{}\"\nazure_allow_http = true\n\
             azure_storage_account_name = \"{ACCOUNT}\"\n",
            server.url(ACCOUNT)
        );
        self.storage(&lines)
            .variable("AZURE_STORAGE_ACCOUNT_KEY", ACCOUNT_KEY)
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut config = format!("[lake]\n{}{}", self.lake, self.sources);
        if self.path("sql").exists() {
            config.push_str("[sql]\noverrides = \"sql\"\n");
        }
        config = format!("{config}[storage]\n{}", self.storage);
        fs::write(self.path("lake.toml"), config).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_loyalake"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command; whatever it says holds no secret.
    pub(crate) fn loyalake(&self, arguments: &[&str]) -> Done {
        let output = self.command(arguments).output().expect("a process");
        let done = Done::new(&output);
        assert_hidden(&done.out);
        assert_hidden(&done.error);
        done
    }

    /// Begins a run.
    pub(crate) fn begin(&self) -> Child {
        let mut command = self.command(&["run", "--as-of", DATE]);
        command.spawn().expect("a process")
    }

    /// Runs the night, with a report.
    pub(crate) fn run(&self) -> Done {
        let done = self.loyalake(&["run", "--as-of", DATE, "--report", "report.json"]);
        let report = fs::read_to_string(self.path("report.json"));
        assert_hidden(&report.unwrap_or_default());
        done
    }

    /// Runs the night, which must succeed.
    #[track_caller]
    pub(crate) fn must_run(&self) -> Done {
        let done = self.run();
        assert_eq!(done.code, 0, "{}", done.error);
        done
    }

    /// The answer to a query, as CSV.
    #[track_caller]
    pub(crate) fn query(&self, sql: &str) -> String {
        let done = self.loyalake(&["sql", "--config", "lake.toml", "--format", "csv", "-c", sql]);
        assert_eq!(done.code, 0, "{sql}: {}", done.error);
        done.out
    }

    /// All rows of all dates of all tables but the ledger, and what the ledger says that is the
    /// same for every run of a date.
    #[track_caller]
    pub(crate) fn tables(&self) -> Vec<String> {
        let mut queries = String::new();
        for table in tables().iter().filter(|table| *table != "runs") {
            let _ = write!(
                queries,
                "select '{table}', * exclude (run_id) from history.{table};"
            );
        }
        queries += "select 'runs', as_of_date, count(*) from history.runs group by as_of_date";
        let answers = self.query(&queries);
        let mut rows: Vec<String> = answers.lines().map(str::to_owned).collect();
        rows.sort();
        rows
    }
}

/// Names of all published tables.
pub(crate) fn tables() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql/marts");
    let files = fs::read_dir(folder).expect("a folder").flatten();
    let stem = |path: PathBuf| {
        path.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    files.filter_map(|file| stem(file.path())).collect()
}

#[track_caller]
fn assert_hidden(text: &str) {
    for secret in [SECRET, ACCOUNT_KEY] {
        assert!(!text.contains(secret), "a secret is shown:\n{text}");
    }
}
