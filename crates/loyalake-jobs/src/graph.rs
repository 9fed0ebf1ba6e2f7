//! The order of relations: who reads whom, found by parsing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::sql_file::{Kind, SqlFile};
use crate::{JobsError, Result};

/// Schema of what a run knows of itself.
pub(crate) const RUN_SCHEMA: &str = "run";

/// Relations and audits, in an order in which each comes after what it reads.
#[derive(Debug, Clone)]
pub struct Graph {
    order: Vec<SqlFile>,
}

/// Formats of a printed graph.
#[derive(Debug, Clone, Copy)]
pub enum GraphFormat {
    /// Indented lines.
    Text,
    /// A Mermaid flow chart.
    Mermaid,
    /// A Graphviz digraph.
    Dot,
}

impl Graph {
    /// Puts files in order.
    ///
    /// # Errors
    /// [`JobsError::Cycle`] for files that read each other.
    pub(crate) fn try_new(files: Vec<SqlFile>) -> Result<Self> {
        let mut waiting: BTreeMap<String, SqlFile> = files
            .into_iter()
            .map(|file| (file.name.clone(), file))
            .collect();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let ready: Vec<String> = waiting
                .values()
                .filter(|file| file.inputs.iter().all(|input| !waiting.contains_key(input)))
                .map(|file| file.name.clone())
                .collect();
            if ready.is_empty() {
                return Err(JobsError::Cycle {
                    chain: cycle(&waiting),
                });
            }
            order.extend(ready.iter().filter_map(|name| waiting.remove(name)));
        }
        Ok(Self { order })
    }

    /// The files, each after what it reads.
    pub fn files(&self) -> &[SqlFile] {
        &self.order
    }

    /// A file by name.
    pub fn get(&self, name: &str) -> Option<&SqlFile> {
        self.order.iter().find(|file| file.name == name)
    }

    /// The files that read a relation.
    pub fn readers(&self, name: &str) -> impl Iterator<Item = &SqlFile> {
        self.order
            .iter()
            .filter(move |file| file.inputs.iter().any(|input| input == name))
    }

    /// The names that `patterns` select: `name`, `+name` with all it reads, `name+` with all that
    /// reads it. Without a pattern: everything.
    ///
    /// # Errors
    /// The name of a pattern that matches nothing.
    pub fn select(&self, patterns: &[String]) -> Result<BTreeSet<String>, String> {
        if patterns.is_empty() {
            return Ok(self.order.iter().map(|file| file.name.clone()).collect());
        }
        let mut selected = BTreeSet::new();
        for pattern in patterns {
            let name = pattern.trim_matches('+');
            if self.get(name).is_none() {
                return Err(name.to_owned());
            }
            selected.insert(name.to_owned());
            if pattern.starts_with('+') {
                selected.extend(self.upstream(name));
            }
            if pattern.ends_with('+') {
                selected.extend(self.downstream(name));
            }
        }
        Ok(selected)
    }

    /// Everything that `name` reads, directly or not.
    pub(crate) fn upstream(&self, name: &str) -> BTreeSet<String> {
        self.upstream_until(name, &BTreeSet::new())
    }

    /// The same without what relations in `known` read.
    pub(crate) fn upstream_until(&self, name: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            if known.contains(&name) {
                continue;
            }
            for input in self
                .get(&name)
                .map(|file| file.inputs.clone())
                .unwrap_or_default()
            {
                if self.get(&input).is_some() && found.insert(input.clone()) {
                    open.push(input);
                }
            }
        }
        found
    }

    /// The inputs that `name` reads, directly or not.
    pub(crate) fn upstream_sources(&self, name: &str) -> BTreeSet<String> {
        let mut files = self.upstream(name);
        files.insert(name.to_owned());
        let files = files.iter().filter_map(|name| self.get(name));
        files
            .flat_map(|file| &file.inputs)
            .filter_map(|input| input.strip_prefix("source."))
            .map(str::to_owned)
            .collect()
    }

    fn downstream(&self, name: &str) -> BTreeSet<String> {
        let reads = |file: &&SqlFile| self.upstream(&file.name).contains(name);
        self.order
            .iter()
            .filter(reads)
            .map(|file| file.name.clone())
            .collect()
    }

    /// Whether a file depends on a relation of schema `run`, directly or not.
    pub(crate) fn reads_run(&self, file: &SqlFile, relation: &str) -> bool {
        let name = format!("{RUN_SCHEMA}.{relation}");
        let mut files = self.upstream(&file.name);
        files.insert(file.name.clone());
        files
            .iter()
            .filter_map(|name| self.get(name))
            .any(|file| file.inputs.contains(&name))
    }

    /// The graph without audits, as text for people or for a drawing tool.
    pub fn render(&self, format: GraphFormat) -> String {
        let files = self.order.iter().filter(|file| file.kind != Kind::Audit);
        let mut text = String::new();
        match format {
            GraphFormat::Text => {
                for file in files {
                    let folder = file.kind.folder();
                    let inputs = file.inputs.join(", ");
                    let own = if file.is_override { " (yours)" } else { "" };
                    let _ = writeln!(text, "{folder:<12} {}{own} ← {inputs}", file.name);
                }
            }
            GraphFormat::Mermaid => {
                text.push_str("flowchart LR\n");
                for (file, input) in files.flat_map(edges) {
                    let _ = writeln!(text, "    {input} --> {file}");
                }
            }
            GraphFormat::Dot => {
                text.push_str("digraph jobs {\n    rankdir = LR;\n");
                for (file, input) in files.flat_map(edges) {
                    let _ = writeln!(text, "    \"{input}\" -> \"{file}\";");
                }
                text.push_str("}\n");
            }
        }
        text
    }
}

fn edges(file: &SqlFile) -> impl Iterator<Item = (&str, &str)> {
    file.inputs
        .iter()
        .map(|input| (file.name.as_str(), input.as_str()))
}

/// One circle among files of which each waits for another.
fn cycle(waiting: &BTreeMap<String, SqlFile>) -> Vec<String> {
    let mut chain: Vec<String> = waiting.keys().take(1).cloned().collect();
    while let Some(file) = chain.last().and_then(|name| waiting.get(name)) {
        let Some(next) = file
            .inputs
            .iter()
            .find(|input| waiting.contains_key(*input))
        else {
            break;
        };
        if let Some(start) = chain.iter().position(|name| name == next) {
            chain.push(next.clone());
            return chain.split_off(start);
        }
        chain.push(next.clone());
    }
    chain
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    fn file(name: &str, inputs: &str) -> SqlFile {
        let text = format!("-- {name}: x.\nselect 1 from {inputs}");
        SqlFile::parse(Kind::Mart, &format!("{name}.sql"), false, &text).expect("a file")
    }

    #[test]
    fn files_come_after_what_they_read() {
        let graph = Graph::try_new(vec![file("a", "b"), file("b", "c"), file("c", "source.x")])
            .expect("no cycle");
        let names: Vec<_> = graph
            .files()
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        assert_eq!(names, ["c", "b", "a"]);
        let select = |pattern: &str| graph.select(&[pattern.to_owned()]).expect("a name").len();
        assert_eq!(
            [select("b"), select("b+"), select("+b"), select("+b+")],
            [1, 2, 2, 3]
        );
    }

    #[test]
    fn a_cycle_is_named() {
        let error = Graph::try_new(vec![file("a", "b"), file("b", "a"), file("c", "a")]);
        let message = error.expect_err("a cycle").to_string();
        assert!(
            message.starts_with("circular jobs: a → b → a;"),
            "{message}"
        );
    }
}
