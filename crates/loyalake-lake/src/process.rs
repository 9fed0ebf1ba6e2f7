//! Which process does something, so that others can tell whether it still runs.

use std::fs;

use serde::{Deserialize, Serialize};

/// Fields of `/proc/<id>/stat` after the name: the state is the first, the start time the 20th.
const STARTED: usize = 19;

/// A process of some machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// Where its number is unique: a boot of a machine, and a container in it.
    space: Option<String>,
    id: u32,
    /// Numbers are used again; the start time tells one process from the next.
    started: Option<String>,
}

impl Process {
    /// This process.
    pub(crate) fn current() -> Self {
        let id = std::process::id();
        Self {
            space: space(),
            id,
            started: started(id),
        }
    }

    /// Whether it has ended; None where that can't be told from here.
    pub(crate) fn has_ended(&self) -> Option<bool> {
        let is_here = self.space.is_some() && self.space == space();
        is_here.then(|| started(self.id) != self.started)
    }
}

/// The boot and the container that this process is in; None on systems that don't tell, or that
/// hide the processes of others.
fn space() -> Option<String> {
    fs::read_to_string("/proc/1/stat").ok()?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let container = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), container.display()))
}

/// When a running process was started, in ticks since boot.
fn started(id: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // one that was killed and not yet waited for does nothing any more
    let is_dead = matches!(fields.next()?, "Z" | "X");
    let started = fields.nth(STARTED - 1)?;
    (!is_dead).then(|| started.to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_ends_and_is_known_to_have_ended() {
        assert_eq!(Process::current().has_ended(), Some(false));
        let mut child = Command::new("sleep").arg("60").spawn().expect("a process");
        let process = Process {
            id: child.id(),
            started: started(child.id()),
            ..Process::current()
        };
        assert_eq!(process.has_ended(), Some(false));
        child.kill().expect("it is killed");
        while process.has_ended() == Some(false) {
            std::thread::yield_now();
        }
        assert_eq!(
            process.has_ended(),
            Some(true),
            "before anybody waited for it"
        );
        child.wait().expect("it ends");
        assert_eq!(process.has_ended(), Some(true));
    }

    #[test]
    fn nothing_is_known_of_processes_elsewhere() {
        let process = Process {
            space: Some("another machine".to_owned()),
            ..Process::current()
        };
        assert_eq!(process.has_ended(), None);
    }
}
