//! What customers cost when they came, what they brought since, and who came back.

use crate::shop::Shop;

const ORDERS: &str = "
    select * replace (cast(ordered_at as date) as ordered_at) from (values
        (1, 'anna', '2024-01-10', 100.0, 60.0),
        (2, 'anna', '2024-03-05', 50.0, 30.0),
        (3, 'ben', '2024-01-20', 40.0, 20.0),
        (4, 'ben', '2024-04-19', 60.0, 30.0),
        (5, 'ben', '2024-04-20', 7.0, 3.5),
        (6, 'cleo', '2024-02-03', 30.0, 15.0),
        (7, 'dan', '2024-02-29', 20.0, null),
        (8, 'dan', '2024-05-01', 90.0, null),
        (9, 'eve', '2024-02-01', 200.0, 100.0),
        (10, null, '2024-02-01', 999.0, 1.0),
        (11, 'gus', '2024-02-01', 999.0, 1.0)
    ) as orders (order_id, customer_id, ordered_at, gross_amount, cost_amount)
    cross join (values ('paid')) as rest (status)";

const CUSTOMERS: &str = "
    select * from (values
        ('anna', 'search', false), ('ben', 'search', false), ('cleo', 'friends', false),
        ('dan', null, false), ('eve', 'social', false), ('gus', 'social', true)
    ) as customers (customer_id, acquisition_channel, is_test)";

const COSTS: &str = "
    select * replace (cast(cost_date as date) as cost_date) from (values
        ('2024-01-05', 'search', 'acquisition', 60.0, null),
        ('2024-01-31', 'search', 'acquisition', 50.0, 'EUR'),
        ('2024-01-31', 'search', 'retention', 300.0, null),
        ('2024-02-10', 'social', 'acquisition', 110.0, null),
        ('2024-02-11', 'social', 'acquisition', -10.0, null),
        ('2024-02-11', 'friends', 'acquisition', 5.0, null),
        ('2024-02-12', 'friends', 'acquisition', -5.0, null),
        ('2024-02-11', 'tv', 'acquisition', 40.0, null),
        ('2024-05-01', 'tv', 'acquisition', 1000.0, null)
    ) as costs (cost_date, channel, purpose, amount, currency)";

const RATES: &str = "
    select date '2024-01-01' as rate_date, 'EUR' as from_currency, 'USD' as to_currency,
        0.6 as rate";

const REFERRALS: &str = "
    select 1 as referral_id, 'ben' as referrer_id, 'dan' as referee_id,
        date '2024-02-01' as invited_at, date '2024-02-29' as converted_at, 'converted' as status";

async fn shop() -> Shop {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    shop.given("customers", CUSTOMERS).await;
    shop.given("marketing_costs", COSTS).await;
    shop.given("fx_rates", RATES).await;
    shop.given("referrals", REFERRALS).await;
    shop
}

const COSTS_OF_CHANNELS: &str = "
    select acquisition_month, channel, cac_status, spend, new_customers, paid_cac,
        round(blended_cac, 6), referred_customers, referral_share, organic_customers,
        organic_share, referral_status, organic_status
    from acquisition_economics order by acquisition_month, channel";

const VALUES_OF_CHANNELS: &str = "
    select acquisition_month, channel, ltv_90d, ltv_90d_status, ltv_365d, ltv_365d_status,
        payback_status, payback_basis, months_to_payback
    from acquisition_economics order by acquisition_month, channel";

const COHORTS: &str = "
    select cohort_month, age_months, customers, active_customers, retention_rate, revenue,
        cumulative_revenue, cumulative_revenue_per_customer, is_mature
    from cohort_ltv order by cohort_month, age_months";

#[tokio::test]
async fn spend_is_shared_by_the_customers_of_its_month_and_channel() {
    let shop = shop().await;
    shop.run("2024-04-30").await;
    assert_eq!(
        shop.query(COSTS_OF_CHANNELS).await,
        [
            "2024-01-01 search ok 90.0000 2 45.0 45.0 0 0.0 0 0.0 ok ok",
            "2024-02-01 friends no_spend 0.0000 1 - 46.666667 0 0.0 1 1.0 ok ok",
            "2024-02-01 social ok 100.0000 1 100.0 46.666667 0 0.0 0 0.0 ok ok",
            "2024-02-01 tv no_new_customers 40.0000 0 - 46.666667 0 - 0 - no_new_customers \
             no_new_customers",
            "2024-02-01 unknown no_spend 0.0000 1 - 46.666667 1 1.0 0 0.0 ok ok"
        ]
    );
    let costs = "select customer_id, acquisition_cost, acquisition_cost_status,
            round(lifetime_value - net_ltv, 9)
        from customer_ltv order by customer_id";
    assert_eq!(
        shop.query(costs).await,
        [
            "anna 45.0 ok 45.0",
            "ben 45.0 ok 45.0",
            "cleo 0.0 ok 0.0",
            "dan - unknown_channel -",
            "eve 100.0 ok 100.0"
        ]
    );
    let predicted = "
        select channel, round(abs(predicted_ltv - mean_ltv), 6),
            round(abs(ltv_to_cac - mean_ltv / 45), 6)
        from acquisition_economics cross join (
            select avg(lifetime_value) as mean_ltv from customer_ltv
            where customer_id in ('anna', 'ben')
        ) as customers
        where channel = 'search'";
    assert_eq!(shop.query(predicted).await, ["search 0.0 0.0"]);
}

/// Ben's order of April 19th is 90 days after his first one, that of the 20th is 91. Anna and Ben
/// cost 90: their profit was 40 + 20 in January, 20 more in March, 30 + 3.5 more in April.
#[tokio::test]
async fn values_wait_until_the_whole_month_is_old_enough() {
    let shop = shop().await;
    shop.run("2024-04-30").await;
    assert_eq!(
        shop.query(VALUES_OF_CHANNELS).await,
        [
            "2024-01-01 search 125.0 ok - immature paid_back profit 3",
            "2024-02-01 friends - immature - immature no_spend profit -",
            "2024-02-01 social - immature - immature paid_back profit 0",
            "2024-02-01 tv - no_new_customers - no_new_customers no_new_customers - -",
            "2024-02-01 unknown - immature - immature no_spend revenue -"
        ]
    );
    for (as_of_date, expected) in [
        ("2024-05-28", "- immature - immature"),
        ("2024-05-29", "110.0 ok - immature"),
        ("2025-02-27", "110.0 ok - immature"),
        ("2025-02-28", "110.0 ok 110.0 ok"),
    ] {
        shop.run(as_of_date).await;
        let rows = "select ltv_90d, ltv_90d_status, ltv_365d, ltv_365d_status
            from acquisition_economics where channel = 'unknown'";
        assert_eq!(shop.query(rows).await, [expected], "{as_of_date}");
    }
}

#[tokio::test]
async fn revenue_pays_back_where_a_margin_is_not_known() {
    let mut shop = shop().await;
    let orders = ORDERS.replace("'2024-01-20', 40.0, 20.0", "'2024-01-20', 40.0, null");
    let orders = orders.replace("60.0, 30.0)", "60.0, null)");
    shop.given("orders", &orders.replace("7.0, 3.5)", "7.0, null)"))
        .await;
    shop.run("2024-04-30").await;
    let rows = "select payback_status, payback_basis, months_to_payback
        from acquisition_economics where channel = 'search'";
    assert_eq!(shop.query(rows).await, ["paid_back revenue 0"]);
    shop.parameter("default_margin_rate = 0.1");
    shop.run("2024-04-30").await;
    assert_eq!(shop.query(rows).await, ["not_yet profit -"]);
}

#[tokio::test]
async fn cohorts_have_every_age_up_to_the_month_of_the_date() {
    let shop = shop().await;
    shop.run("2024-04-29").await;
    assert_eq!(
        shop.query(COHORTS).await,
        [
            "2024-01-01 0 2 2 1.0 140.0000 140.0000 70.0 true",
            "2024-01-01 1 2 0 0.0 0.0000 140.0000 70.0 true",
            "2024-01-01 2 2 1 0.5 50.0000 190.0000 95.0 true",
            "2024-01-01 3 2 1 0.5 67.0000 257.0000 128.5 false",
            "2024-02-01 0 3 3 1.0 250.0000 250.0000 83.33333333333333 true",
            "2024-02-01 1 3 0 0.0 0.0000 250.0000 83.33333333333333 true",
            "2024-02-01 2 3 0 0.0 0.0000 250.0000 83.33333333333333 false"
        ]
    );
    let intervals = "select count(*) from cohort_ltv
        where named_struct('low', ci_low, 'high', ci_high)
            is distinct from wilson_interval(active_customers, customers, 0.95)";
    assert_eq!(shop.query(intervals).await, ["0"]);
    shop.run("2024-04-30").await;
    let mature = "select count(*) from cohort_ltv where not is_mature";
    assert_eq!(shop.query(mature).await, ["0"]);
}

#[tokio::test]
async fn what_happened_after_the_date_changes_nothing() {
    let mut shop = shop().await;
    shop.run("2024-04-30").await;
    let all = async |shop: &Shop| {
        let mut rows = Vec::new();
        for sql in [COSTS_OF_CHANNELS, VALUES_OF_CHANNELS, COHORTS] {
            rows.extend(shop.query(sql).await);
        }
        rows
    };
    let before = all(&shop).await;
    let orders = ORDERS
        .replace("(8, 'dan', '2024-05-01', 90.0, null),", "")
        .replace("(11,", "(12, 'hal', '2024-05-02', 9.0, 1.0), (11,");
    shop.given("orders", &orders).await;
    let costs = COSTS.replace("'2024-05-01', 'tv'", "'2024-05-02', 'search'");
    shop.given("marketing_costs", &costs).await;
    shop.run("2024-04-30").await;
    assert_eq!(all(&shop).await, before);
}

#[tokio::test]
async fn without_its_sources_the_table_stands_and_says_what_is_missing() {
    let mut shop = shop().await;
    shop.run("2024-04-30").await;
    let types = "select column_name, data_type from information_schema.columns
        where table_schema = 'latest' and table_name = 'acquisition_economics'
        order by column_name";
    let with_sources = shop.query(types).await;
    shop.forget("referrals");
    shop.run("2024-04-30").await;
    let rows = shop.query(COSTS_OF_CHANNELS).await;
    assert_eq!(
        rows[..2],
        [
            "2024-01-01 search ok 90.0000 2 45.0 45.0 - - 0 0.0 missing_input ok",
            "2024-02-01 friends no_spend 0.0000 1 - 46.666667 - - - - missing_input missing_input"
        ]
    );
    shop.forget("marketing_costs");
    shop.run("2024-04-30").await;
    assert_eq!(shop.query(types).await, with_sources);
    let rows = shop.query(COSTS_OF_CHANNELS).await;
    let nothing = "- - - - missing_input missing_input";
    assert_eq!(
        rows,
        [
            format!("2024-01-01 search missing_input - 2 - - {nothing}"),
            format!("2024-02-01 friends missing_input - 1 - - {nothing}"),
            format!("2024-02-01 social missing_input - 1 - - {nothing}"),
            format!("2024-02-01 unknown missing_input - 1 - - {nothing}")
        ]
    );
    let costs = "select distinct acquisition_cost, acquisition_cost_status, net_ltv
        from customer_ltv";
    assert_eq!(shop.query(costs).await, ["- missing_input -"]);
    shop.forget("customers");
    shop.run("2024-04-30").await;
    let channels = "select distinct channel from acquisition_economics";
    assert_eq!(shop.query(channels).await, ["unknown"]);
}

#[tokio::test]
async fn without_customers_the_tables_are_empty() {
    let shop = shop().await;
    shop.run("2023-12-31").await;
    for table in ["acquisition_economics", "cohort_ltv"] {
        let rows = format!("select count(*) from {table}");
        assert_eq!(shop.query(&rows).await, ["0"], "{table}");
    }
}
