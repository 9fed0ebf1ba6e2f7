//! What became of customers since an earlier run: moves between segments, the worth of tiers.

use crate::shop::Shop;

/// Paid orders; the score of a customer is the average order value.
const ORDERS: &str = "
    select order_id, customer_id, 'paid' as status, cast(ordered_on as timestamp) as ordered_at,
        gross_amount, discount_amount
    from (values
        ('a1', 'anna', '2024-01-10', 90.0, 0.0),
        ('a2', 'anna', '2024-06-30', 90.0, 0.0),
        ('a3', 'anna', '2024-07-01', 90.0, 0.0),
        ('a4', 'anna', '2024-12-31', 90.0, 30.0),
        ('b1', 'ben',  '2024-02-10', 90.0, 0.0),
        ('b2', 'ben',  '2025-01-01', 90.0, 0.0),
        ('c1', 'cleo', '2024-03-10', 50.0, 0.0),
        ('c2', 'cleo', '2024-09-01', 50.0, 0.0),
        ('c3', 'cleo', '2024-09-01', 50.0, null),
        ('d1', 'dora', '2024-03-11', 50.0, 0.0),
        ('e1', 'emil', '2024-09-02', 70.0, 0.0)
    ) as orders (order_id, customer_id, ordered_on, gross_amount, discount_amount)";

/// Dora gives back what she bought.
const REFUNDS: &str = "
    select 'r1' as refund_id, 'd1' as order_id, timestamp '2024-08-01T00:00:00' as refunded_at,
        50.0 as amount";

const OTHER_WEIGHTS: [&str; 9] = [
    "purchase_frequency",
    "purchase_recency",
    "tenure",
    "regularity",
    "recommendation",
    "satisfaction",
    "advocacy",
    "social_activity",
    "support_friction",
];

const TIERS: &str = "select from_segment, to_segment, customers, from_customers, probability,
        from_as_of_date
    from segment_transitions where scheme = 'loyalty_tier' order by 1, 2";

const WORTH: &str = "select * exclude (run_id) from loyalty_value order by loyalty_tier";

async fn shop() -> Shop {
    let mut shop = Shop::new();
    for component in OTHER_WEIGHTS {
        shop.parameter(&format!("weight_{component} = 0.0"));
    }
    shop.parameter("anchors_average_order_value = [0, 100]");
    shop.given("orders", ORDERS).await;
    shop.given("refunds", REFUNDS).await;
    shop
}

#[tokio::test]
async fn without_a_run_that_is_old_enough_nothing_has_moved() {
    let shop = shop().await;
    shop.run("2024-12-10").await;
    shop.run("2024-12-31").await;
    for table in ["segment_transitions", "loyalty_value"] {
        let rows = format!("select count(*) from history.{table}");
        assert_eq!(shop.query(&rows).await, ["0"], "{table}");
    }
}

#[tokio::test]
async fn customers_move_from_the_segment_of_the_earlier_run() {
    let shop = shop().await;
    // the run of 10 December is not old enough; of those that are, the newest counts
    shop.run("2024-03-31").await;
    shop.run("2024-06-30").await;
    shop.run("2024-12-10").await;
    shop.run("2024-12-31").await;
    let moves = [
        "entered gold 1 1 1.0 2024-06-30",
        "platinum platinum 2 2 1.0 2024-06-30",
        "silver left 1 2 0.5 2024-06-30",
        "silver silver 1 2 0.5 2024-06-30",
    ];
    assert_eq!(shop.query(TIERS).await, moves);
    // what is moved is worth what it is worth now; who has left, what they were worth then
    let values = "
        with worth as (
            select as_of_date as valued_on, customer_id,
                cast(lifetime_value as decimal(28, 4)) as value
            from history.customer_ltv
        )
        select from_segment, to_segment, sum(worth.value) = value_moved
        from segment_transitions
        inner join worth
            on from_segment = 'entered' and customer_id = 'emil' and valued_on = '2024-12-31'
            or to_segment = 'left' and customer_id = 'dora' and valued_on = '2024-06-30'
            or from_segment = 'platinum' and customer_id in ('anna', 'ben')
                and valued_on = '2024-12-31'
        where scheme = 'loyalty_tier'
        group by from_segment, to_segment, value_moved order by 1";
    assert_eq!(
        shop.query(values).await,
        [
            "entered gold true",
            "platinum platinum true",
            "silver left true"
        ]
    );
    let schemes = "select scheme, sum(customers) from segment_transitions group by 1 order by 1";
    assert_eq!(
        shop.query(schemes).await,
        [
            "cpm 5",
            "loyalty_tier 5",
            "ltv_decile 5",
            "purchase_stage 5",
            "rfm 5"
        ]
    );
    // a date that is run again, also after later ones, sees the same earlier runs
    let worth = shop.query(WORTH).await;
    assert_eq!(worth.len(), 2);
    shop.run("2024-12-31").await;
    assert_eq!(shop.query(TIERS).await, moves);
    assert_eq!(shop.query(WORTH).await, worth);
    let first = "select count(*) from history.segment_transitions where as_of_date = '2024-06-30'
        and from_as_of_date = '2024-03-31'";
    let before = shop.query(first).await;
    assert_ne!(before, ["0"]);
    shop.run("2024-06-30").await;
    assert_eq!(shop.query(first).await, before);
}

#[tokio::test]
async fn schemes_that_the_earlier_run_did_not_have_are_left_out() {
    let shop = shop().await;
    shop.file(
        "marts/customer_segments.sql",
        "-- customer_segments: recency, frequency and value alone.\n-- grain: customer_id, scheme\n\
         -- inputs: customer_rfm, segment_labels\n-- params: none\n-- source: customer_rfm\n\
         select customer_id, scheme, segment, segment_rank from segment_labels\n\
         inner join customer_rfm on segment = rfm_segment where scheme = 'rfm'\n",
    );
    shop.run("2024-06-30").await;
    std::fs::remove_dir_all(shop.path().join("sql")).expect("the override is removed");
    shop.run("2024-12-31").await;
    let schemes = "select distinct scheme from segment_transitions";
    assert_eq!(shop.query(schemes).await, ["rfm"]);
    let schemes = "select count(distinct scheme) from customer_segments";
    assert_eq!(shop.query(schemes).await, ["5"]);
}

#[tokio::test]
async fn tiers_of_the_start_are_followed_through_the_period() {
    let mut shop = shop().await;
    shop.run("2024-06-30").await;
    shop.run("2024-12-31").await;
    let worth = "select loyalty_tier, customers, churned_customers, churn_rate, repeat_customers,
            repeat_rate, orders, orders_per_customer, revenue, revenue_per_customer,
            average_order_value, full_price_revenue, discount_known_revenue, full_price_share,
            full_price_status, period_start
        from loyalty_value order by loyalty_tier";
    // platinum: anna came twice, the second time for less; ben has left
    // silver: cleo came on one day, with one order whose discount is not known; dora has left
    assert_eq!(
        shop.query(worth).await,
        [
            "platinum 2 1 0.5 1 1.0 2 1.0 150.0000 75.0 75.0 90.0000 150.0000 0.6 ok 2024-06-30",
            "silver 2 1 0.5 0 0.0 2 1.0 100.0000 50.0 50.0 50.0000 50.0000 1.0 ok 2024-06-30",
        ]
    );
    let referrals = "select loyalty_tier, referring_customers, referral_rate, referral_status
        from loyalty_value order by loyalty_tier";
    assert_eq!(
        shop.query(referrals).await,
        ["platinum - - missing_input", "silver - - missing_input"]
    );
    shop.given(
        "referrals",
        "select referrer_id || '/' || referee_id as referral_id, referrer_id, referee_id,
            'converted' as status, timestamp '2024-05-01T00:00:00' as invited_at,
            cast(converted_on as timestamp) as converted_at
        from (values
            ('anna', 'emil', '2024-07-01'), ('anna', 'fred', '2024-12-31'),
            ('ben', 'gina', '2024-06-30'), ('cleo', 'hans', '2025-01-01')
        ) as referrals (referrer_id, referee_id, converted_on)",
    )
    .await;
    shop.run("2024-12-31").await;
    assert_eq!(
        shop.query(referrals).await,
        ["platinum 1 0.5 ok", "silver 0 0.0 ok"]
    );
}

#[tokio::test]
async fn a_tier_nobody_of_which_came_back_has_no_revenue_to_share() {
    let mut shop = shop().await;
    shop.given(
        "orders",
        "select 'o1' as order_id, 'anna' as customer_id, 'paid' as status,
            date '2024-01-10' as ordered_at, 90.0 as gross_amount
        union all
        select 'o2', 'ben', 'paid', date '2024-01-10', 50.0
        union all
        select 'o3', 'ben', 'paid', date '2024-12-10', 50.0",
    )
    .await;
    shop.forget("refunds");
    shop.run("2024-06-30").await;
    shop.run("2024-12-31").await;
    let shares = "select loyalty_tier, active_customers, repeat_rate, average_order_value,
            full_price_share, full_price_status
        from loyalty_value order by loyalty_tier";
    assert_eq!(
        shop.query(shares).await,
        [
            "platinum 0 - - - no_revenue",
            "silver 1 0.0 50.0 - missing_input"
        ]
    );
}

#[tokio::test]
async fn a_contract_of_earlier_runs_names_a_table_and_a_number_of_days() {
    let mut shop = Shop::new();
    shop.source("orders", "orders.parquet", "parquet");
    let contract = |table: &str, older: &str| {
        let header = format!("-- before: what was.\n-- table: {table}\n-- older: {older}\n");
        shop.file(
            "published/before.sql",
            &format!("{header}create table before (customer_id varchar)"),
        );
        shop.project().expect_err("a wrong contract").to_string()
    };
    let message = contract("customer_lvt", "$transition_days");
    assert!(message.contains("did you mean 'customer_ltv'"), "{message}");
    let message = contract("customer_ltv", "28");
    assert!(
        message.contains("`older: 28` must be a parameter"),
        "{message}"
    );
    let message = contract("customer_ltv", "$time_zone");
    assert!(message.contains("number of days"), "{message}");
}

#[tokio::test]
async fn a_negative_number_of_days_is_refused_where_it_stands() {
    let mut shop = Shop::new();
    shop.source("orders", "orders.parquet", "parquet");
    shop.parameter("transition_days = -3");
    let message = shop.project().expect_err("a wrong number").to_string();
    let expected = "parameter 'transition_days' must be a number of days, 0 or more, but is -3";
    assert!(message.contains(expected), "{message}");
}
