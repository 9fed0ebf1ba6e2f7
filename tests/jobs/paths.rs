//! Where sources and overrides may lead: not out of the project, unless that is said.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::shop::Shop;

const ORDERS: &str = "order_id,customer_id,ordered_at,status,gross_amount\n\
                      o1,anna,2024-01-05,paid,10\n";

fn write(path: &Path) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
    std::fs::write(path, ORDERS).expect("a file is written");
}

/// A run refuses `lead` with exit code 2, and does not when it is allowed.
async fn is_refused_unless_allowed(mut shop: Shop, lead: &str) {
    let error = shop.try_run("2024-02-01").await.expect_err("leads outside");
    assert_eq!(error.exit_code(), 2, "{error}");
    let error = error.to_string();
    assert!(
        error.contains(lead) && error.contains("allow_outside = true"),
        "{error}"
    );
    shop.also_source("orders", "allow_outside = true");
    shop.run("2024-02-01").await;
}

#[tokio::test]
async fn a_relative_location_stays_in_the_project() {
    let outside = tempfile::tempdir().expect("a folder");
    write(&outside.path().join("orders.csv"));
    let mut shop = Shop::new();
    let name = outside
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy();
    shop.source("orders", &format!("../{name}/orders.csv"), "csv");
    is_refused_unless_allowed(shop, "orders.csv").await;
    let mut shop = Shop::new();
    shop.source("orders", "orders", "csv");
    symlink(outside.path(), shop.path().join("orders")).expect("a link");
    is_refused_unless_allowed(shop, "/orders' leads outside of").await;
}

#[tokio::test]
async fn links_in_a_source_stay_in_it() {
    let outside = tempfile::tempdir().expect("a folder");
    write(&outside.path().join("more/other.csv"));
    for (link, target) in [("orders/b.csv", "more/other.csv"), ("orders/more", "more")] {
        let mut shop = Shop::new();
        let folder = shop.path().join("orders");
        write(&folder.join("a.csv"));
        symlink(outside.path().join(target), shop.path().join(link)).expect("a link");
        // an absolute location is as good as said, but not what links in it lead to
        shop.source("orders", folder.to_str().expect("UTF-8"), "csv");
        is_refused_unless_allowed(shop, link).await;
    }
}

#[tokio::test]
async fn a_link_inside_of_a_source_and_an_absolute_location_are_fine() {
    let outside = tempfile::tempdir().expect("a folder");
    write(&outside.path().join("a/orders.csv"));
    symlink("../a/orders.csv", {
        std::fs::create_dir(outside.path().join("b")).expect("a folder");
        outside.path().join("b/again.csv")
    })
    .expect("a link");
    let mut shop = Shop::new();
    shop.source("orders", outside.path().to_str().expect("UTF-8"), "csv");
    assert_eq!(shop.run("2024-02-01").await.inputs[0].files, 2);
}

#[tokio::test]
async fn a_link_to_nothing_is_a_bad_file() {
    let mut shop = Shop::new();
    shop.source("orders", "orders", "csv");
    write(&shop.path().join("orders/a.csv"));
    symlink("nowhere.csv", shop.path().join("orders/b.csv")).expect("a link");
    let error = shop
        .try_run("2024-02-01")
        .await
        .expect_err("a file is missing");
    assert_eq!(error.exit_code(), 1, "{error}");
    assert!(
        error.to_string().contains("b.csv' is a link to nothing"),
        "{error}"
    );
}

#[tokio::test]
async fn overrides_stay_in_their_folder() {
    let outside = tempfile::tempdir().expect("a folder");
    let file = outside.path().join("stg_orders.sql");
    std::fs::write(&file, "select * from source.orders").expect("a file is written");
    let mut shop = Shop::new();
    shop.source("orders", "orders.csv", "csv");
    write(&shop.path().join("orders.csv"));
    std::fs::create_dir_all(shop.path().join("sql/staging")).expect("a folder");
    symlink(&file, shop.path().join("sql/staging/stg_orders.sql")).expect("a link");
    let error = shop.try_run("2024-02-01").await.expect_err("leads outside");
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(
        error
            .to_string()
            .contains("stg_orders.sql' leads outside of"),
        "{error}"
    );
}
