//! What is refused, in words that say what, where, and how to mend it, and hold no secret.

use std::time::Instant;

use crate::servers::{Bucket, azurite, moto};
use crate::shop::{SECRET, Shop, orders};

/// A port where nobody listens.
const NOBODY: u16 = 1;

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let Some(server) = moto() else { return };
    let remedy = "the bucket or container does not exist; create it, or mend the location";
    let shop = Shop::local()
        .lake("s3://not-there/lake", "scratch")
        .s3(server.port);
    shop.run().assert_failed(1, &["s3://not-there: ", remedy]);
    for location in [
        "s3://not-there/orders.csv",
        "s3://not-there/orders/",
        "s3://not-there/*.csv",
    ] {
        let shop = Shop::new()
            .source("orders", location, "csv")
            .s3(server.port);
        shop.run().assert_failed(1, &["s3://not-there: ", remedy]);
    }
    let Some(server) = azurite() else { return };
    let shop = Shop::local()
        .lake("az://not-there/lake", "scratch")
        .azure(server);
    shop.run().assert_failed(1, &["az://not-there: ", remedy]);
}

#[test]
fn an_output_without_conditional_put_is_refused_before_anything_is_read() {
    let Some(server) = moto() else { return };
    let bucket = Bucket::of_s3(server, "unconditional");
    let shop = Shop::local()
        .lake("s3://unconditional/lake", "scratch")
        .s3(server.port)
        .storage("aws_conditional_put = \"disabled\"\n");
    let parts = [
        "output 's3://unconditional/lake/'",
        "without conditional put",
        "use a store that",
    ];
    shop.run().assert_failed(2, &parts);
    assert!(bucket.names("").is_empty());
}

#[test]
fn a_web_server_is_no_output() {
    let shop = Shop::local().lake("http://127.0.0.1:1/lake", "scratch");
    shop.run().assert_failed(
        2,
        &["http://127.0.0.1:1/lake/", "name single files to read"],
    );
}

#[test]
fn a_store_that_is_not_there_is_said_to_be_so_soon_and_without_secrets() {
    let shop = Shop::local()
        .lake("s3://shop/lake", "scratch")
        .s3(NOBODY)
        .variable("AWS_SESSION_TOKEN", SECRET)
        .variable("LOYALAKE_LOG", "trace");
    let began = Instant::now();
    let done = shop.run();
    done.assert_failed(
        1,
        &["s3://shop: the store can't be reached; check the endpoint"],
    );
    assert!(began.elapsed().as_secs() < 90, "{:?}", began.elapsed());
    assert!(
        done.error.contains("retry"),
        "the log was looked into:\n{}",
        done.error
    );
}

#[test]
fn credentials_that_are_missing_are_asked_for() {
    let shop = Shop::local()
        .lake("s3://shop/lake", "scratch")
        .storage("aws_metadata_endpoint = \"http://127.0.0.1:1\"\n");
    shop.run().assert_failed(
        1,
        &["s3://shop: there are no credentials; set AWS_ACCESS_KEY_ID"],
    );
    let shop = Shop::local().lake("az://shop/lake", "scratch");
    shop.run()
        .assert_failed(1, &["az://shop: ", "set azure_storage_account_name"]);
}

#[test]
fn credentials_that_are_wrong_are_said_to_be() {
    let Some(server) = azurite() else { return };
    Bucket::of_azure(server, "locked");
    let shop = Shop::local()
        .lake("az://locked/lake", "scratch")
        .azure(server)
        .variable(
            "AZURE_STORAGE_ACCOUNT_KEY",
            "bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50",
        );
    shop.run()
        .assert_failed(1, &["az://locked: the credentials of the environment"]);
}

#[test]
fn secrets_in_the_config_are_refused_and_not_repeated() {
    for (lines, expected) in [
        (
            format!("aws_secret_access_key = \"{SECRET}\"\n"),
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            format!("[storage.\"s3://raw\"]\nsas_token = \"{SECRET}\"\n"),
            "AZURE_STORAGE_SAS_KEY",
        ),
        (
            format!("aws_endpoint = \"http://me:{SECRET}@127.0.0.1\"\n"),
            "'aws_endpoint' is a secret",
        ),
        (
            format!("aws_session_token = [\"{SECRET}\"]\n"),
            "must be a text",
        ),
        (format!("aws_session_token = \"{SECRET}\nx"), "lake.toml"),
        (
            format!("aws_session_token = \"{SECRET}\"\nx = 1.5"),
            "option 'x' must be",
        ),
    ] {
        Shop::local()
            .storage(&lines)
            .run()
            .assert_failed(2, &[expected]);
    }
    for location in [
        format!("s3://me:{SECRET}@raw/orders/"),
        format!("https://raw.blob.core.windows.net/orders.csv?sig={SECRET}"),
    ] {
        let shop = Shop::new().source("orders", &location, "csv");
        shop.run().assert_failed(2, &["may be a secret"]);
        let shop = Shop::local().lake(&location, "scratch");
        shop.run().assert_failed(2, &["may be a secret"]);
    }
}

#[test]
fn nothing_that_a_night_leaves_holds_a_secret() {
    let Some(server) = moto() else { return };
    let bucket = Bucket::of_s3(server, "secrets");
    bucket.put("orders.csv", orders());
    let shop = Shop::new()
        .source("orders", "s3://secrets/orders.csv", "csv")
        .lake("s3://secrets/lake", "lake_scratch")
        .s3(server.port)
        .variable("LOYALAKE_LOG", "debug");
    shop.must_run();
    let ledger = shop.query("select * from history.runs");
    assert!(ledger.contains("orders"), "{ledger}");
    for (name, bytes) in bucket.objects("") {
        let secret = SECRET.as_bytes();
        assert!(
            !bytes.windows(secret.len()).any(|part| part == secret),
            "{name}"
        );
    }
}
