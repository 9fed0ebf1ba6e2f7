//! The files of the repository, and what a check says about them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A text file: its path from the top of the repository, with `/`, and its content.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The name without folders and without the last extension.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    pub(crate) fn is_in(&self, folder: &str) -> bool {
        self.path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// A finding: where, what is wrong, and how to fix it.
    pub(crate) fn finding(&self, line: usize, what_and_fix: &str) -> String {
        format!("{}:{line}: {what_and_fix}", self.path)
    }

    /// One finding for each line that `is_wrong`.
    pub(crate) fn lines_that(&self, is_wrong: impl Fn(&str) -> bool, what: &str) -> Vec<String> {
        let lines = self.text.lines().enumerate();
        let wrong = lines.filter(|(_, line)| is_wrong(line));
        wrong
            .map(|(number, _)| self.finding(number + 1, what))
            .collect()
    }
}

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every path below `folder` that git would track, as far as names tell.
pub(crate) fn paths(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.trim_matches('/').to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}")
                .trim_start_matches('/')
                .to_owned();
            match entry.file_type().unwrap().is_dir() {
                true if is_generated(&path) => {}
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// What `.gitignore` names, and git's own folder.
fn is_generated(path: &str) -> bool {
    let example = path
        .strip_prefix("examples/")
        .and_then(|rest| rest.split_once('/'));
    let is_lake = example.is_some_and(|(_, folder)| matches!(folder, "lake" | "lake_scratch"));
    is_lake || matches!(path, ".git" | "target")
}

/// The text files below `folder` that end in `.extension`.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<File> {
    let ending = format!(".{extension}");
    let paths = paths(folder)
        .into_iter()
        .filter(|path| path.ends_with(&ending));
    paths
        .map(|path| File {
            text: std::fs::read_to_string(root().join(&path)).unwrap(),
            path,
        })
        .collect()
}

/// One text file.
pub(crate) fn file(path: &str) -> File {
    File {
        path: path.to_owned(),
        text: std::fs::read_to_string(root().join(path)).unwrap(),
    }
}

/// Fails with all findings of a check over files.
pub(crate) fn refuse(files: &[File], check: impl Fn(&File) -> Vec<String>) {
    assert!(
        !files.is_empty(),
        "there is nothing to check; mend the list of files"
    );
    refuse_all(&files.iter().flat_map(check).collect::<Vec<_>>());
}

/// Fails with all findings.
pub(crate) fn refuse_all(findings: &[String]) {
    let mut message = String::new();
    for finding in findings {
        let _ = write!(message, "\n  {finding}");
    }
    assert!(findings.is_empty(), "{} to mend:{message}", findings.len());
}

/// Fails unless a check finds exactly one thing in a planted file.
pub(crate) fn must_find(check: impl Fn(&File) -> Vec<String>, path: &str, text: &str) {
    let findings = check(&File::new(path, text));
    assert_eq!(findings.len(), 1, "in {path}:\n{text}\nfound {findings:?}");
}

/// Fails if a check finds anything in a planted file.
pub(crate) fn must_accept(check: impl Fn(&File) -> Vec<String>, path: &str, text: &str) {
    let findings = check(&File::new(path, text));
    assert!(
        findings.is_empty(),
        "in {path}:\n{text}\nfound {findings:?}"
    );
}
