//! The comment lines on top of a SQL file: what it is, its grain, inputs and parameters.
//!
//! ```sql
//! -- customer_rfm: recency, frequency and value scores of every customer.
//! -- grain: customer_id
//! -- inputs: customer_metrics, score_cuts
//! ```

use std::collections::BTreeMap;

/// Keys that a header may have.
const KEYS: [&str; 9] = [
    "grain", "inputs", "params", "source", "supply", "table", "older", "severity", "kept",
];

/// A header, taken apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    /// The name it gives the relation.
    pub(crate) name: String,
    /// The sentence after the name.
    pub(crate) description: String,
    entries: BTreeMap<&'static str, String>,
}

impl Header {
    /// Reads the leading comment lines. The error is a message and the line (from 1) it is about.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, usize)> {
        let mut header = Self::default();
        let mut last: Option<&'static str> = None;
        for (index, line) in text.lines().enumerate() {
            let Some(comment) = line.strip_prefix("--") else {
                break;
            };
            let number = index + 1;
            if comment.starts_with("   ") || comment.trim().is_empty() {
                header.extend(last, comment.trim());
                continue;
            }
            let Some((key, value)) = comment.trim().split_once(':') else {
                return Err(("a header line must be `-- key: value`".to_owned(), number));
            };
            if number == 1 {
                key.trim().clone_into(&mut header.name);
                value.trim().clone_into(&mut header.description);
                continue;
            }
            let Some(known) = KEYS.into_iter().find(|known| *known == key.trim()) else {
                let message = format!("unknown header key '{key}'; known are {}", KEYS.join(", "));
                return Err((message, number));
            };
            header.entries.insert(known, value.trim().to_owned());
            last = Some(known);
        }
        Ok(header)
    }

    fn extend(&mut self, last: Option<&'static str>, more: &str) {
        let text = match last {
            Some(key) => self.entries.entry(key).or_default(),
            None => &mut self.description,
        };
        if !more.is_empty() {
            text.push(' ');
            text.push_str(more);
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    /// Takes over another header's value of a key, unless there is one.
    pub(crate) fn inherit(&mut self, key: &'static str, other: &Self) {
        if let Some(value) = other.entries.get(key) {
            self.entries.entry(key).or_insert_with(|| value.clone());
        }
    }

    /// The comma-separated names of a key, sorted; "none" is none.
    pub(crate) fn names(&self, key: &str) -> Vec<String> {
        let text = self.get(key).unwrap_or("none");
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty() && *name != "none");
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn continuation_lines_belong_to_the_key_above() {
        let text =
            "-- a: first.\n--     more\n-- inputs: x,\n--     source.y\nselect 1\n-- not: this";
        let header = Header::parse(text).expect("a header");
        assert_eq!(header.description, "first. more");
        assert_eq!(header.names("inputs"), ["source.y", "x"]);
        assert!(header.names("params").is_empty());
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(Header::parse("-- a: b\n-- grian: c").is_err());
    }
}
