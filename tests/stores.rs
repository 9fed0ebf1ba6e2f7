//! Lakes in object stores: whole nights against real servers, readers of other engines, and faults.
//!
//! The servers and readers are Python and Node packages. Where they are missing the tests say how
//! to get them, and pass; with `LOYALAKE_TEST_TOOLS` set, they fail.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "stores/azure.rs"]
mod azure;
#[path = "stores/faults.rs"]
mod faults;
#[path = "stores/proxy.rs"]
mod proxy;
#[path = "stores/readers.rs"]
mod readers;
#[path = "stores/refusals.rs"]
mod refusals;
#[path = "stores/s3.rs"]
mod s3;
#[path = "stores/servers.rs"]
mod servers;
#[path = "stores/shop.rs"]
mod shop;
