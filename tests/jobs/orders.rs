//! Rules about orders: versions, statuses, amounts, currencies, refunds, dates, customers.

use crate::shop::Shop;

const ORDERS: &str = "
    select * from (values
        ('o1', 'anna', timestamp '2024-01-05T10:00:00', 'paid', 100.0, 10.0, 5.0),
        ('o2', 'anna', timestamp '2024-01-05T18:00:00', 'paid',  20.0, null, null),
        ('o3', 'anna', timestamp '2024-03-01T09:00:00', 'paid',  50.0, null, 2.0),
        ('o4', 'ben',  timestamp '2024-02-01T09:00:00', 'cancelled', 70.0, null, null),
        ('o5', 'ben',  timestamp '2024-02-02T09:00:00', 'paid',  30.0, null, null),
        ('o6', null,   timestamp '2024-02-03T09:00:00', 'paid',  40.0, null, null),
        ('o7', 'cleo', timestamp '2024-02-04T09:00:00', 'paid',   5.0,  5.0, null),
        ('o8', 'dora', timestamp '2024-06-01T09:00:00', 'paid',  60.0, null, null)
    ) as orders (
        order_id, customer_id, ordered_at, status, gross_amount, discount_amount, tax_amount
    )";

async fn shop() -> Shop {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    shop
}

#[tokio::test]
async fn customers_sum_up_their_valid_orders() {
    let shop = shop().await;
    shop.run("2024-04-01").await;
    let rows = shop
        .query(
            "select customer_id, orders, purchase_days, repeat_purchases, recency_days, age_days, \
             days_since_last_purchase, gross_revenue, net_revenue, mean_repeat_value \
             from customer_metrics order by customer_id",
        )
        .await;
    // anna: (100 − 10 − 5) + 20 on the first day, 50 − 2 on the second; cleo's order has no net
    // amount
    assert_eq!(
        rows,
        [
            "anna 3 2 1 56 87 31 170.0000 153.0000 48.0",
            "ben 1 1 0 0 59 59 30.0000 30.0000 -",
        ]
    );
    assert_eq!(
        shop.query("select unattributed_orders from runs").await,
        ["1"]
    );
}

#[tokio::test]
async fn refunds_reduce_their_order_on_its_date_once_they_are_known() {
    let mut shop = shop().await;
    shop.given(
        "refunds",
        "select * from (values
            ('r1', 'o1', timestamp '2024-02-10T00:00:00', 25.0),
            ('r1', 'o1', timestamp '2024-02-10T00:00:00', 25.0),
            ('r2', 'o3', timestamp '2024-03-20T00:00:00', 48.0),
            ('r3', 'o5', timestamp '2024-05-01T00:00:00', 30.0)
        ) as refunds (refund_id, order_id, refunded_at, amount)",
    )
    .await;
    shop.run("2024-04-01").await;
    let query = "select customer_id, orders, fully_refunded_orders, refund_amount, net_revenue, \
                 last_purchase_on from customer_metrics order by customer_id";
    assert_eq!(
        shop.query(query).await,
        [
            "anna 2 1 25.0000 80.0000 2024-01-05",
            "ben 1 0 0.0000 30.0000 2024-02-02"
        ]
    );
    shop.run("2024-05-02").await;
    assert_eq!(
        shop.query(query).await,
        ["anna 2 1 25.0000 80.0000 2024-01-05"]
    );
}

#[tokio::test]
async fn the_newest_version_of_an_order_counts() {
    let mut shop = Shop::new();
    shop.given(
        "orders",
        "select * from (values
            (1, 7, timestamp '2024-01-05T10:00:00', 'paid', 10.0, timestamp '2024-01-05T10:00:00'),
            (1, 7, timestamp '2024-01-05T10:00:00', 'paid', 15.0, timestamp '2024-01-06T10:00:00'),
            (2, 7, timestamp '2024-01-07T10:00:00', 'paid', 20.0, null),
            (2, 7, timestamp '2024-01-07T10:00:00', 'paid', 20.0, null),
            (3, 8, timestamp '2024-01-08T10:00:00', 'paid', 30.0, timestamp '2024-01-08T10:00:00'),
            (3, 8, timestamp '2024-01-08T10:00:00', 'void', 30.0, timestamp '2024-01-09T10:00:00')
        ) as orders (order_id, customer_id, ordered_at, status, gross_amount, updated_at)",
    )
    .await;
    shop.run("2024-02-01").await;
    let rows = "select customer_id, orders, net_revenue from customer_metrics";
    assert_eq!(shop.query(rows).await, ["7 2 35.0000"]);
    let key = "select arrow_typeof(customer_id) from customer_metrics";
    assert_eq!(shop.query(key).await, ["Int64"], "keys keep their type");
}

#[tokio::test]
async fn amounts_are_converted_at_the_last_rate_before_their_date() {
    let mut shop = Shop::new();
    shop.parameter("reporting_currency = \"GBP\"");
    shop.parameter("max_quarantined_share = 1.0");
    shop.given(
        "orders",
        "select * from (values
            ('o1', 'anna', timestamp '2024-01-05T10:00:00', 'paid', 'EUR', 100.0),
            ('o2', 'anna', timestamp '2024-01-11T10:00:00', 'paid', 'EUR', 100.0),
            ('o3', 'anna', timestamp '2024-01-12T10:00:00', 'paid', 'GBP', 100.0),
            ('o4', 'anna', timestamp '2024-01-12T10:00:00', 'paid', null,  1.0),
            ('o5', 'anna', timestamp '2023-12-01T10:00:00', 'paid', 'EUR', 100.0),
            ('o6', 'anna', timestamp '2024-01-12T10:00:00', 'paid', 'JPY', 100.0)
        ) as orders (order_id, customer_id, ordered_at, status, currency, gross_amount)",
    )
    .await;
    shop.given(
        "fx_rates",
        "select * from (values
            (date '2024-01-01', 'EUR', 'GBP', 0.8),
            (date '2024-01-10', 'EUR', 'GBP', 0.9)
        ) as fx_rates (rate_date, from_currency, to_currency, rate)",
    )
    .await;
    shop.run("2024-02-01").await;
    let rows = "select orders, net_revenue from customer_metrics";
    assert_eq!(shop.query(rows).await, ["4 271.0000"]);
    let quarantine = "select row_key, rule from quarantine order by row_key";
    assert_eq!(
        shop.query(quarantine).await,
        ["o5 currency_has_rate", "o6 currency_has_rate"]
    );
}

#[tokio::test]
async fn the_business_date_is_the_date_in_the_time_zone() {
    let mut shop = Shop::new();
    shop.parameter("time_zone = \"Asia/Tokyo\"");
    shop.given(
        "orders",
        "select 'o1' as order_id, 'anna' as customer_id, 'paid' as status, 1.0 as gross_amount,
            arrow_cast(timestamp '2024-01-05T20:00:00', 'Timestamp(Microsecond, Some(\"UTC\"))')
            as ordered_at",
    )
    .await;
    shop.run("2024-02-01").await;
    let first = "select first_purchase_on from customer_metrics";
    assert_eq!(shop.query(first).await, ["2024-01-06"]);
}

#[tokio::test]
async fn a_run_for_an_earlier_date_sees_nothing_of_later_rows() {
    let all = shop().await;
    all.run("2024-02-20").await;
    let mut cut = Shop::new();
    cut.given(
        "orders",
        &format!("select * from ({ORDERS}) where ordered_at < date '2024-02-21'"),
    )
    .await;
    cut.run("2024-02-20").await;
    for table in [
        "customer_metrics",
        "customer_ltv",
        "customer_rfm",
        "loyalty_scores",
        "segment_ltv",
    ] {
        let query = format!("select * exclude (run_id) from {table} order by 1, 2, 3");
        let rows = all.query(&query).await;
        assert!(!rows.is_empty(), "{table} has rows");
        assert_eq!(rows, cut.query(&query).await, "{table}");
    }
}

#[tokio::test]
async fn margins_are_measured_where_orders_have_costs() {
    let mut shop = Shop::new();
    shop.parameter("default_margin_rate = 0.25");
    shop.given(
        "orders",
        "select * from (values
            ('o1', 'anna', timestamp '2024-01-05T10:00:00', 'paid', 100.0, 60.0),
            ('o2', 'anna', timestamp '2024-01-06T10:00:00', 'paid', 100.0, null),
            ('o3', 'ben',  timestamp '2024-01-06T10:00:00', 'paid', 100.0, null)
        ) as orders (order_id, customer_id, ordered_at, status, gross_amount, cost_amount)",
    )
    .await;
    shop.run("2024-02-01").await;
    let rows = "select customer_id, gross_profit, margin_rate, margin_status from customer_metrics \
                order by customer_id";
    assert_eq!(
        shop.query(rows).await,
        ["anna 40.0000 0.4 measured", "ben - 0.25 assumed"]
    );
}
