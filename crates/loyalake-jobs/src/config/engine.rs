//! `[engine]`: where queries run, and what they may take.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::Config;
use crate::Result;

/// How queries are executed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Where queries run.
    #[serde(default)]
    pub kind: EngineKind,
    /// Memory for queries, such as "4GB"; default: 70 % of the machine's.
    pub memory_limit: Option<String>,
    /// Where queries that exceed the limit put their data.
    pub spill_directory: Option<PathBuf>,
    /// Number of threads; default: cores. In a cluster, parts of a query; default: 16.
    pub partitions: Option<usize>,
    /// Where the scheduler of a cluster is, as `df://host:port`.
    pub url: Option<String>,
    /// With a cluster, queries that read less than this are run by the client; default: 64 MB.
    pub local_below: Option<String>,
}

/// Where queries run.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// In this process.
    #[default]
    Local,
    /// On the executors of a cluster.
    Ballista,
}

impl Config {
    /// Memory for queries, in bytes.
    ///
    /// # Errors
    /// A text that is not a size.
    pub fn memory_limit(&self) -> Result<usize> {
        let Some(text) = &self.engine.memory_limit else {
            return Ok(machine_memory() / 10 * 7);
        };
        memory_limit(text).map_err(|must| self.error(&format!("engine.memory_limit {must}"), text))
    }

    /// Bytes of files that a query has to read before a cluster is asked to run it.
    ///
    /// # Errors
    /// A text that is not a size.
    pub fn local_below(&self) -> Result<usize> {
        let Some(text) = &self.engine.local_below else {
            return Ok(64_000_000);
        };
        parse_size(text).ok_or_else(|| {
            let message =
                format!("engine.local_below must be a size such as \"64MB\", but is \"{text}\"");
            self.error(&message, text)
        })
    }

    /// A cluster has an address, and nothing else has one.
    pub(super) fn check_url(&self) -> Result<()> {
        let (message, word) = match (self.engine.kind, self.engine.url.as_deref()) {
            (EngineKind::Local, None) => return Ok(()),
            (EngineKind::Local, Some(_)) => (
                "engine.url is for kind = \"ballista\"; add the kind, or remove the url".to_owned(),
                "url",
            ),
            (EngineKind::Ballista, None) => (
                "engine.kind = \"ballista\" needs the scheduler's address; add \
                url = \"df://host:50050\""
                    .to_owned(),
                "ballista",
            ),
            (EngineKind::Ballista, Some(text)) => {
                let url = Url::parse(text).ok();
                let is_address = |url: &Url| {
                    let has_place = url.host_str().is_some() && url.port().is_some();
                    url.scheme() == "df" && has_place
                };
                if url.as_ref().is_some_and(is_address) {
                    return Ok(());
                }
                let message =
                    format!("engine.url must be as \"df://host:50050\", but is \"{text}\"");
                (message, text)
            }
        };
        Err(self.error(&message, word))
    }
}

/// "512MB", "4 GB", "1.5GiB" as bytes.
/// Bytes that a process may hold.
///
/// # Errors
/// What it must be, in words.
pub fn memory_limit(text: &str) -> std::result::Result<usize, String> {
    // less can't hold one batch of each operator
    let size = parse_size(text).filter(|size| *size >= 16_000_000);
    size.ok_or_else(|| {
        format!("must be a size from 16MB on, such as \"512MB\" or \"4GB\", but is \"{text}\"")
    })
}

fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let split = text
        .find(|symbol: char| symbol.is_alphabetic())
        .unwrap_or(text.len());
    let number: f64 = text[..split].trim().parse().ok()?;
    let unit: f64 = match text[split..].to_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" | "k" => 1e3,
        "mb" | "m" => 1e6,
        "gb" | "g" => 1e9,
        "tb" | "t" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let bytes = number * unit;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "range checked"
    )]
    (bytes.is_finite() && (0.0..1e18).contains(&bytes)).then_some(bytes as usize)
}

/// The machine's memory in bytes, or 4 GB where it can't be told.
fn machine_memory() -> usize {
    let kilobytes = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find(|line| line.starts_with("MemTotal:"))?
                .to_owned();
            line.split_whitespace().nth(1)?.parse::<usize>().ok()
        });
    kilobytes.map_or(4_000_000_000, |kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use std::path::Path;

    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("512MB"), Some(512_000_000));
        assert_eq!(parse_size("1.5 GiB"), Some(1_610_612_736));
        assert_eq!(parse_size("lots"), None);
        assert_eq!(parse_size("-1GB"), None);
        assert_eq!(parse_size("0"), Some(0));
    }

    #[test]
    fn a_cluster_has_an_address() {
        let parse = |engine: &str| {
            let text = format!("[lake]\noutput = \"lake\"\n[engine]\n{engine}\n");
            Config::parse(Path::new("lake.toml"), &text)
        };
        let message = |engine: &str| parse(engine).expect_err("a wrong config").to_string();
        parse("kind = \"ballista\"\nurl = \"df://host:50050\"").expect("a config");
        let without = message("kind = \"ballista\"");
        assert!(
            without.contains("add url = \"df://host:50050\""),
            "{without}"
        );
        let wrong = message("kind = \"ballista\"\nurl = \"http://host:50050\"");
        assert!(wrong.contains("must be as \"df://host:50050\""), "{wrong}");
        let local = message("url = \"df://host:50050\"");
        assert!(local.contains("is for kind = \"ballista\""), "{local}");
    }
}
