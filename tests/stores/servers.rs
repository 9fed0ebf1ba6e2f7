//! The servers: started once, on free ports of this machine, and ended with the tests.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::path::Path as ObjectPath;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt};

/// The folder with the servers and a Python that has the readers.
const TOOLS: &str = "LOYALAKE_TEST_TOOLS";

/// The account of every azurite, and its key, which its documentation gives.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A server at work. It ends when nobody holds the other end of its input any more, however this
/// process comes to its end.
pub(crate) struct Server {
    pub(crate) port: u16,
    _input: ChildStdin,
}

impl Server {
    #[expect(
        clippy::zombie_processes,
        reason = "it outlives whoever could wait for it"
    )]
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", "\"$@\" 2>&1 & cat > /dev/null; kill $!", "sh"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let output = child.stdout.take().expect("its output");
        let (said, ports) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let port = line.split("http://127.0.0.1:").nth(1);
                let port = port.and_then(|rest| rest.trim_end_matches('/').parse::<u16>().ok());
                let _ = port.map(|port| said.send(port));
            }
        });
        let port = ports.recv_timeout(Duration::from_mins(1));
        Self {
            port: port.unwrap_or_else(|_| panic!("{} did not start", program.display())),
            _input: child.stdin.take().expect("its input"),
        }
    }

    /// Its address, with a name that the tests give a bucket.
    pub(crate) fn url(&self, rest: &str) -> String {
        format!("http://127.0.0.1:{}/{rest}", self.port)
    }
}

/// A program of the tests, or None with a line that says how to get it.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let tools = env::var_os(TOOLS).map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = tools.iter().map(|tools| tools.join("bin"));
    let found = folders
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        missing(name);
    }
    found
}

/// Says what is missing, past the test's own output, which nobody sees when it passes.
pub(crate) fn missing(what: &str) {
    let message = format!(
        "{what} is missing, so this test did nothing; get it with: \
         export {TOOLS}=\"$(bash .ci/tools)\""
    );
    assert!(env::var_os(TOOLS).is_none(), "{message}");
    let _ = writeln!(std::io::stderr(), "{message}");
}

fn start_moto() -> Option<Server> {
    let program = tool("moto_server")?;
    Some(Server::start(&program, &["-H", "127.0.0.1", "-p", "0"]))
}

/// The S3 of the tests.
pub(crate) fn moto() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start_moto).as_ref()
}

/// Another S3, which knows nothing of the first.
pub(crate) fn second_moto() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start_moto).as_ref()
}

/// The Azure of the tests.
pub(crate) fn azurite() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let start = || {
        let program = tool("azurite-blob")?;
        let arguments = [
            "--blobPort",
            "0",
            "--skipApiVersionCheck",
            "--inMemoryPersistence",
            "--silent",
        ];
        Some(Server::start(&program, &arguments))
    };
    SERVER.get_or_init(start).as_ref()
}

/// A new bucket, or a container, and a way into it past the product.
#[derive(Clone)]
pub(crate) struct Bucket {
    store: Arc<dyn ObjectStore>,
}

impl Bucket {
    /// A bucket of S3.
    pub(crate) fn of_s3(server: &Server, name: &str) -> Self {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = "PUT".parse().expect("a method");
        *request.uri_mut() = server.url(name).parse().expect("a URL");
        let public = "public-read".parse().expect("a header");
        request.headers_mut().insert("x-amz-acl", public);
        send(request);
        let store: AmazonS3 = AmazonS3Builder::new()
            .with_endpoint(server.url("").trim_end_matches('/'))
            .with_allow_http(true)
            .with_access_key_id("tester")
            .with_secret_access_key("any")
            .with_bucket_name(name)
            .build()
            .expect("a store");
        Self {
            store: Arc::new(store),
        }
    }

    /// A container of Azure.
    pub(crate) fn of_azure(server: &Server, name: &str) -> Self {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = "PUT".parse().expect("a method");
        let url = server.url(&format!("{ACCOUNT}/{name}?restype=container"));
        *request.uri_mut() = url.parse().expect("a URL");
        let length = "0".parse().expect("a header");
        request.headers_mut().insert("content-length", length);
        let key = AzureAccessKey::try_new(ACCOUNT_KEY).expect("a key");
        let credential = AzureCredential::AccessKey(key);
        AzureAuthorizer::new(&credential, ACCOUNT).authorize(&mut request);
        send(request);
        let store: MicrosoftAzure = MicrosoftAzureBuilder::new()
            .with_endpoint(server.url(ACCOUNT))
            .with_allow_http(true)
            .with_account(ACCOUNT)
            .with_access_key(ACCOUNT_KEY)
            .with_container_name(name)
            .build()
            .expect("a store");
        Self {
            store: Arc::new(store),
        }
    }

    /// Puts an object into it.
    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        let path = ObjectPath::from(path);
        let put = self.store.put(&path, bytes.into().into());
        block_on(put).expect("an object is put");
    }

    /// The names of all objects below a folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let folder = ObjectPath::from(folder);
        let listed = self.store.list(Some(&folder));
        let names = listed.map_ok(|object| object.location.to_string());
        block_on(names.try_collect()).expect("a list")
    }

    /// All objects below a folder.
    pub(crate) fn objects(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let names = self.names(folder).into_iter();
        let read = async |name: &str| {
            let found = self.store.get(&ObjectPath::from(name)).await?;
            found.bytes().await
        };
        let objects = names.map(|name| {
            let bytes = block_on(read(&name)).expect("an object");
            (name, bytes.to_vec())
        });
        objects.collect()
    }
}

/// Sends a request that no store knows.
fn send(request: HttpRequest) {
    let options = ClientOptions::new().with_allow_http(true);
    let client = ReqwestConnector::default().connect(&options);
    let answer = block_on(client.expect("a client").execute(request)).expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
}

/// Waits for a future.
pub(crate) fn block_on<Output>(future: impl Future<Output = Output>) -> Output {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(future)
}
