//! Nights on Azure, and on several stores at once.

use crate::servers::{Bucket, azurite, moto};
use crate::shop::{Shop, orders};

#[test]
fn a_night_on_azure_gives_the_tables_of_a_local_one() {
    let Some(server) = azurite() else { return };
    let container = Bucket::of_azure(server, "night");
    container.put("orders/2024/orders.csv", orders());
    let shop = Shop::new()
        .source("orders", "az://night/orders/2024/*.csv", "csv")
        .lake("az://night/lake", "az://night/scratch")
        .azure(server);
    shop.must_run();
    shop.must_run();
    let local = Shop::local();
    local.must_run();
    assert_eq!(shop.tables(), local.tables());
    assert!(container.names("scratch").is_empty());
}

#[test]
fn sources_scratch_and_output_may_be_anywhere() {
    let (Some(s3), Some(azure)) = (moto(), azurite()) else {
        return;
    };
    let local = Shop::local();
    local.must_run();
    let expected = local.tables();
    let bucket = Bucket::of_s3(s3, "mixed");
    let container = Bucket::of_azure(azure, "mixed");
    bucket.put("orders.csv", orders());
    container.put("orders.csv", orders());
    let places = |name: &str| [format!("s3://mixed/{name}"), format!("az://mixed/{name}")];
    let [s3_lake, az_lake] = places("lake");
    let [s3_scratch, az_scratch] = places("scratch");
    for (orders, scratch, output) in [
        ("s3://mixed/orders.csv", "scratch", az_lake.as_str()),
        ("az://mixed/orders.csv", &s3_scratch, "lake"),
        ("orders.csv", &az_scratch, &s3_lake),
    ] {
        let shop = Shop::new()
            .source("orders", orders, "csv")
            .lake(output, scratch)
            .s3(s3.port)
            .azure(azure);
        std::fs::write(shop.path("orders.csv"), crate::shop::orders()).expect("a file");
        shop.must_run();
        assert_eq!(shop.tables(), expected, "{orders} {scratch} {output}");
    }
}
