//! The processes of a cluster, on free ports of this machine.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::project::environment;

/// How long a process may take to listen.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A scheduler and its executors.
pub(crate) struct Machines {
    folder: TempDir,
    address: SocketAddr,
    scheduler: Child,
    executors: Vec<Child>,
}

impl Machines {
    /// A scheduler and two executors that can reach some stores.
    pub(crate) fn start(storage: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let config = format!("[lake]\noutput = \"lake\"\n[storage]\n{storage}");
        fs::write(folder.path().join("lake.toml"), config).expect("a file");
        let address = free_address();
        let scheduler = scheduler(&folder, address);
        let executor = || {
            let (place, scheduler) = (free_address(), address.to_string());
            let bind = place.to_string();
            let limits = [
                "--memory-limit",
                "500MB",
                "--tasks",
                "2",
                "--work-dir",
                "work",
            ];
            let places = ["executor", "--scheduler", &scheduler, "--bind", &bind];
            let child = role(&folder, &[&places[..], &limits].concat());
            wait_for(place);
            child
        };
        let executors = vec![executor(), executor()];
        Self {
            folder,
            address,
            scheduler,
            executors,
        }
    }

    /// What a configuration names.
    pub(crate) fn url(&self) -> String {
        format!("df://{}", self.address)
    }

    /// One executor dies, as when its power is cut.
    pub(crate) fn kill_executor(&mut self) {
        let mut executor = self.executors.pop().expect("an executor");
        kill(&mut executor);
    }

    /// The scheduler dies.
    pub(crate) fn kill_scheduler(&mut self) {
        kill(&mut self.scheduler);
    }

    /// Another scheduler takes its place.
    pub(crate) fn start_scheduler(&mut self) {
        self.scheduler = scheduler(&self.folder, self.address);
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        self.executors.iter_mut().for_each(kill);
        kill(&mut self.scheduler);
    }
}

fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn scheduler(folder: &TempDir, address: SocketAddr) -> Child {
    let child = role(folder, &["scheduler", "--bind", &address.to_string()]);
    wait_for(address);
    child
}

/// Begins a role, in a folder with a configuration.
fn role(folder: &TempDir, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loyalake"));
    command
        .arg("cluster")
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    environment(&mut command);
    command.spawn().expect("a process")
}

fn wait_for(address: SocketAddr) {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(started.elapsed() < START_TIMEOUT, "nobody is at {address}");
        sleep(Duration::from_millis(100));
    }
}

/// An address with a free port, whose next port is free, too.
fn free_address() -> SocketAddr {
    let bind = |port| TcpListener::bind(("127.0.0.1", port));
    loop {
        let free = bind(0).expect("a port");
        let address = free.local_addr().expect("an address");
        if address.port() < u16::MAX && bind(address.port() + 1).is_ok() {
            return address;
        }
    }
}
