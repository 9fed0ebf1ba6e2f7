//! Folders for what queries put on disk: one for each session, removed with it, or by others when
//! its process was killed.

use std::io;
use std::path::{Path, PathBuf};

use crate::process::Process;

/// How the folders' names begin.
const PREFIX: &str = "loyalake-spill-";

/// The file that says whose a folder is.
const OWNER: &str = "process.json";

/// A folder that goes when it is dropped.
#[derive(Debug)]
pub struct SpillFolder(PathBuf);

impl SpillFolder {
    /// Makes a folder below `root`, and removes those of processes that have ended.
    ///
    /// # Errors
    /// What the file system says.
    pub fn below(root: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(root)?;
        let own = new_folder(root)?;
        std::fs::write(own.join(OWNER), serde_json::to_vec(&Process::current())?)?;
        for entry in std::fs::read_dir(root)?.flatten() {
            let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
            if is_ours && has_died(&entry.path()) {
                // another process may be removing it, too
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        Ok(Self(own))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SpillFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A folder that nobody has: processes of several containers may share their numbers.
fn new_folder(root: &Path) -> io::Result<PathBuf> {
    let mut count = 0;
    loop {
        let folder = root.join(format!("{PREFIX}{}-{count}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => count += 1,
            Err(error) => return Err(error),
        }
    }
}

fn has_died(folder: &Path) -> bool {
    let owner = std::fs::read(folder.join(OWNER)).unwrap_or_default();
    let owner: Option<Process> = serde_json::from_slice(&owner).ok();
    owner.is_some_and(|owner| owner.has_ended() == Some(true))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_folder_goes_with_its_session_or_with_its_process() {
        let root = std::env::temp_dir().join(format!("loyalake-test-{}", std::process::id()));
        let first = SpillFolder::below(&root).unwrap();
        let second = SpillFolder::below(&root).unwrap();
        assert!(first.path().exists(), "its process is alive");
        let owner = std::fs::read_to_string(first.path().join(OWNER)).unwrap();
        let id = format!("\"id\":{}", std::process::id());
        let dead = owner.replace(&id, "\"id\":4194303");
        assert_ne!(owner, dead);
        std::fs::write(first.path().join(OWNER), dead).unwrap();
        let third = SpillFolder::below(&root).unwrap();
        assert!(!first.path().exists(), "its process has ended");
        drop(second);
        drop(third);
        std::fs::remove_dir(&root).unwrap();
    }
}
