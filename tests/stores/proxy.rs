//! A proxy before a store that makes it fail in a given way.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What happens to a request.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// It is answered with this status.
    Status(u16, &'static str),
    /// It takes so long.
    Delay(Duration),
    /// The connection ends in the middle of what is sent.
    CutRequest,
    /// The store does it, and nobody hears of it.
    LoseAnswer,
    /// The connection ends in the middle of the answer.
    CutAnswer,
    /// The store is gone, from now on.
    Vanish,
}

/// Which of the requests that a rule is about.
#[derive(Clone, Copy)]
pub(crate) enum Pick {
    /// Every so many.
    Every(usize),
    /// This one for each path, counted from 1.
    OfEachPath(usize),
    /// This one, counted from 1.
    Nth(usize),
}

/// What happens to which requests.
pub(crate) struct Rule {
    method: &'static str,
    path: &'static str,
    pick: Pick,
    fault: Fault,
    count: usize,
    paths: HashMap<String, usize>,
}

impl Rule {
    /// A rule about requests of a method whose path has a part; an empty text means all.
    pub(crate) fn new(method: &'static str, path: &'static str, pick: Pick, fault: Fault) -> Self {
        Self {
            method,
            path,
            pick,
            fault,
            count: 0,
            paths: HashMap::new(),
        }
    }

    fn applies(&mut self, method: &str, path: &str) -> bool {
        let is_about = method.starts_with(self.method) && path.contains(self.path);
        if !is_about {
            return false;
        }
        self.count += 1;
        match self.pick {
            Pick::Every(number) => self.count.is_multiple_of(number),
            Pick::OfEachPath(number) => {
                let count = self.paths.entry(path.to_owned()).or_default();
                *count += 1;
                *count == number
            }
            Pick::Nth(number) => self.count == number,
        }
    }
}

/// The proxy, at work until the tests end.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    store: u16,
    rules: Mutex<Vec<Rule>>,
    is_gone: AtomicBool,
    faults: Mutex<Vec<String>>,
}

impl Proxy {
    /// Begins to listen.
    pub(crate) fn start(store: u16, rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            store,
            rules: Mutex::new(rules),
            is_gone: AtomicBool::new(false),
            faults: Mutex::new(Vec::new()),
        });
        let proxy = Self {
            port,
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // a client that goes away is not our concern
                thread::spawn(move || shared.serve(&client).ok());
            }
        });
        proxy
    }

    /// The store is back, and nothing happens any more.
    pub(crate) fn mend(&self) {
        self.shared.rules.lock().expect("rules").clear();
        self.shared.is_gone.store(false, Ordering::SeqCst);
    }

    /// The requests to which something happened.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.shared.faults.lock().expect("faults").clone()
    }
}

impl Shared {
    /// One request of a connection; the client opens another for the next.
    fn serve(&self, mut client: &TcpStream) -> std::io::Result<()> {
        // nothing is read ahead: what is left unread makes the end of a connection a reset, which
        // clients tell from an orderly one
        let mut reader = BufReader::with_capacity(1, client.try_clone()?);
        let mut head = String::new();
        let mut length = 0;
        while reader.read_line(&mut head)? > 2 {
            let line = head.lines().last().unwrap_or_default().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let fault = self.fault_of(method, path);
        if self.is_gone.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut body = vec![0; length];
        if matches!(fault, Some(Fault::CutRequest)) {
            body.truncate(length / 2);
            return reader.read_exact(&mut body);
        }
        reader.read_exact(&mut body)?;
        let answer = match fault {
            Some(Fault::Status(status, code)) => format!(
                "HTTP/1.1 {status} Fault\r\nConnection: close\r\n\r\n\
                 <Error><Code>{code}</Code><Message>a fault</Message></Error>"
            )
            .into_bytes(),
            Some(Fault::Delay(pause)) => {
                thread::sleep(pause);
                self.forward(&head, &body)?
            }
            _ => self.forward(&head, &body)?,
        };
        let told = match fault {
            Some(Fault::LoseAnswer) => 0,
            Some(Fault::CutAnswer) => answer.len() * 3 / 4,
            _ => answer.len(),
        };
        client.write_all(&answer[..told])?;
        client.shutdown(Shutdown::Both)
    }

    fn fault_of(&self, method: &str, path: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().expect("rules");
        // each rule counts, also when another one is chosen
        let applying = rules.iter_mut().filter_map(|rule| {
            let applies = rule.applies(method, path);
            applies.then_some(rule.fault)
        });
        let fault = applying.collect::<Vec<_>>().first().copied()?;
        if matches!(fault, Fault::Vanish) {
            self.is_gone.store(true, Ordering::SeqCst);
        }
        let mut faults = self.faults.lock().expect("faults");
        faults.push(format!("{method} {path}"));
        Some(fault)
    }

    /// The store's answer.
    fn forward(&self, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut store = TcpStream::connect(("127.0.0.1", self.store))?;
        let lines = head.trim_end().lines();
        let lines = lines.filter(|line| !line.to_lowercase().starts_with("connection:"));
        for line in lines.chain(["Connection: close", ""]) {
            write!(store, "{line}\r\n")?;
        }
        store.write_all(body)?;
        let mut answer = Vec::new();
        store.read_to_end(&mut answer)?;
        Ok(answer)
    }
}
