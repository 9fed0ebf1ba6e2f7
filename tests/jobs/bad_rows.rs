//! Rows that break a contract: refused with a rule, counted, and never in a customer table.

use crate::shop::Shop;

#[tokio::test]
async fn broken_rows_go_to_quarantine_with_their_rule() {
    let mut shop = Shop::new();
    shop.parameter("max_quarantined_share = 1.0");
    shop.given(
        "orders",
        "select * from (values
            ('ok', 'anna', timestamp '2024-01-05T10:00:00', 'paid', 10.0),
            ('nan', 'anna', timestamp '2024-01-05T10:00:00', 'paid', cast('NaN' as double)),
            ('inf', 'anna', timestamp '2024-01-05T10:00:00', 'paid', cast('inf' as double)),
            ('huge', 'anna', timestamp '2024-01-05T10:00:00', 'paid', 1e20),
            ('minus', 'anna', timestamp '2024-01-05T10:00:00', 'paid', -1.0),
            ('old', 'anna', timestamp '1850-01-05T10:00:00', 'paid', 10.0),
            ('new', 'anna', timestamp '2240-01-05T10:00:00', 'paid', 10.0),
            ('status', 'anna', timestamp '2024-01-05T10:00:00', null, 10.0),
            (null, 'anna', timestamp '2024-01-05T10:00:00', 'paid', 10.0)
        ) as orders (order_id, customer_id, ordered_at, status, gross_amount)",
    )
    .await;
    shop.run("2024-02-01").await;
    let rows = shop
        .query("select row_key, rule from quarantine order by row_key like '% %', row_key")
        .await;
    assert_eq!(
        rows[..7],
        [
            "huge gross_amount_is_decimal",
            "inf gross_amount_is_decimal",
            "minus gross_amount_check",
            "nan gross_amount_is_decimal",
            "new ordered_at_in_range",
            "old ordered_at_in_range",
            "status status_not_null",
        ]
    );
    assert_eq!(rows[7], "orders.parquet row 9 order_id_not_null");
    let counted = shop.query("select quarantined_rows from runs").await;
    assert_eq!(counted, ["8"]);
    assert_eq!(
        shop.query("select orders, net_revenue from customer_metrics")
            .await,
        ["1 10.0000"]
    );
}

#[tokio::test]
async fn too_many_broken_rows_stop_the_run() {
    let mut shop = Shop::new();
    shop.given(
        "orders",
        "select * from (values
            ('o1', 'anna', timestamp '2024-01-05T10:00:00', 'paid', 10.0),
            ('o2', 'anna', timestamp '2024-01-05T10:00:00', 'paid', -10.0)
        ) as orders (order_id, customer_id, ordered_at, status, gross_amount)",
    )
    .await;
    let error = shop
        .try_run("2024-02-01")
        .await
        .expect_err("half of the rows are broken");
    assert_eq!(error.exit_code(), 4, "{error}");
    assert!(
        error.to_string().contains("max_quarantined_share"),
        "{error}"
    );
    let rule = "commonest_rule gross_amount_check, rows_of_rule 1, for_example o2, \
                example_detail -10.0";
    assert!(error.to_string().contains(rule), "{error}");
}

#[tokio::test]
async fn instants_that_no_calendar_has_are_quarantined_as_numbers() {
    for (unit, number) in [
        ("Timestamp(Millisecond, None)", "9000000000000000"),
        ("Timestamp(Microsecond, None)", "-9000000000000000000"),
        (
            "Timestamp(Microsecond, Some(\"UTC\"))",
            "9000000000000000000",
        ),
        ("Date64", "86400000000000000"),
    ] {
        let mut shop = Shop::new();
        shop.parameter("max_quarantined_share = 1.0");
        let orders = format!(
            "select value as order_id, 'anna' as customer_id, 'paid' as status,
                10.0 as gross_amount, arrow_cast(
                    case when value = 1 then {number} else 0 end, '{unit}') as ordered_at
            from generate_series(1, 2)"
        );
        shop.given("orders", &orders).await;
        shop.run("2024-02-01").await;
        let rows = shop.query("select row_key, detail from quarantine").await;
        assert_eq!(rows, [format!("1 {number}")], "{unit}");
    }
}

#[tokio::test]
async fn absurd_texts_are_quarantined_and_cut() {
    let mut shop = Shop::new();
    shop.memory_limit("256MB");
    shop.parameter("max_quarantined_share = 1.0");
    shop.given(
        "orders",
        "select *, date '2024-01-05' as ordered_at, 10.0 as gross_amount from (values
            ('ok', 'anna', 'paid'),
            (repeat('k', 10000000), 'anna', 'paid'),
            ('long status', 'anna', repeat('s', 10000000)),
            ('long customer', repeat('c', 1025), 'paid'),
            ('1 k', repeat('c', 1024), 'paid'),
            ('null', 'a' || chr(0), 'paid')
        ) as orders (order_id, customer_id, status)",
    )
    .await;
    shop.run("2024-02-01").await;
    let rows = "select left(row_key, 13), rule, character_length(row_key),
            character_length(detail) from quarantine order by 1";
    assert_eq!(
        shop.query(rows).await,
        [
            "kkkkkkkkkkkkk order_id_too_long 200 200",
            "long customer customer_id_too_long 13 200",
            "long status status_too_long 11 200",
            "null customer_id_has_null_byte 4 2",
        ]
    );
    let rows = "select sum(orders) from customer_metrics";
    assert_eq!(shop.query(rows).await, ["2"]);
}

#[tokio::test]
async fn money_adds_up_to_the_last_digit_or_stops_the_run() {
    let mut shop = Shop::new();
    // a segment's total is beyond what a customer's may be
    shop.given(
        "orders",
        "select value as order_id, value as customer_id, date '2024-01-05' as ordered_at,
            'paid' as status, cast('99999999999999.9999' as decimal(18, 4)) as gross_amount
        from generate_series(1, 1000)",
    )
    .await;
    shop.run("2024-02-01").await;
    let total = "select sum(net_revenue) from customer_metrics";
    assert_eq!(shop.query(total).await, ["99999999999999999.9000"]);
    shop.given(
        "orders",
        "select value as order_id, value % 999 as customer_id, date '2024-01-05' as ordered_at,
            'paid' as status, cast('99999999999999.9999' as decimal(18, 4)) as gross_amount
        from generate_series(1, 1000)",
    )
    .await;
    let error = shop.try_run("2024-02-01").await.expect_err("too much");
    assert_eq!(error.exit_code(), 3, "{error}");
    let expected = "customer_metrics__sums_fit: 1 row, first: customer_id 1, \
                    net_revenue 199999999999999.9998";
    assert!(error.to_string().contains(expected), "{error}");
}

#[tokio::test]
async fn a_missing_column_names_source_and_column() {
    let mut shop = Shop::new();
    shop.given(
        "orders",
        "select 'o1' as order_id, 'anna' as customer_id, 'paid' as status",
    )
    .await;
    let error = shop
        .try_run("2024-02-01")
        .await
        .expect_err("columns are missing")
        .to_string();
    assert!(
        error.contains("orders.parquet") && error.contains("'ordered_at"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_type_names_expected_and_found() {
    let mut shop = Shop::new();
    shop.given(
        "orders",
        "select 'o1' as order_id, 'anna' as customer_id, 'paid' as status, 'ten' as gross_amount,
            timestamp '2024-01-05T10:00:00' as ordered_at",
    )
    .await;
    let error = shop
        .try_run("2024-02-01")
        .await
        .expect_err("text is no money")
        .to_string();
    assert!(
        error.contains("'gross_amount' must be decimal, but is varchar"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_cut_off_names_itself_and_the_byte() {
    let mut shop = Shop::new();
    shop.given("orders", "select 'o1' as order_id, 'paid' as status")
        .await;
    let path = shop.path().join("orders.parquet");
    let whole = std::fs::read(&path).expect("a file");
    let mut cut = whole[..whole.len() / 2].to_vec();
    for (end, expected) in [
        (&b""[..], "is no PAR1"),
        (b"nonsense PAR1", "bytes of footer"),
    ] {
        cut.extend_from_slice(end);
        std::fs::write(&path, &cut).expect("a file is written");
        let error = shop
            .try_run("2024-02-01")
            .await
            .expect_err("a broken file")
            .to_string();
        assert!(
            error.contains("orders.parquet") && error.contains(expected),
            "{error}"
        );
    }
}
