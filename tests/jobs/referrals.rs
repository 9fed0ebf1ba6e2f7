//! Referrals: which of them count, and what they are worth.

use crate::shop::Shop;

const ORDERS: &str = "
    select * replace (cast(ordered_at as date) as ordered_at) from (values
        (1, 'anna', '2024-01-10', 100.0, 60.0),
        (2, 'anna', '2024-03-05', 50.0, 30.0),
        (3, 'ben', '2024-01-20', 40.0, 20.0),
        (4, 'cleo', '2024-02-03', 30.0, 15.0),
        (5, 'cleo', '2024-05-03', 70.0, 35.0),
        (6, 'dan', '2024-02-28', 20.0, null),
        (7, 'eve', '2024-03-01', 10.0, 5.0),
        (8, 'fay', '2024-03-30', 200.0, 100.0)
    ) as orders (order_id, customer_id, ordered_at, gross_amount, cost_amount)
    cross join (values ('paid')) as rest (status)";

/// Two circles, of two and of three, and a conversion from one to the other.
const CIRCLES: &str = "
    select * replace (
        cast(invited_at as date) as invited_at,
        cast(converted_at as date) as converted_at
    ) from (values
        ('once', 'anna', 'cleo', '2024-01-15', '2024-02-03', 'converted', 5.0),
        ('again', 'ben', 'cleo', '2024-01-16', '2024-02-04', 'converted', 5.0),
        ('same day', 'eve', 'cleo', '2024-01-17', '2024-02-03', 'converted', 5.0),
        ('herself', 'anna', 'anna', '2024-01-16', '2024-02-04', 'converted', 5.0),
        ('nobody yet', 'anna', null, '2024-01-16', null, 'invited', null),
        ('not bought', 'ben', 'zoe', '2024-01-16', '2024-02-04', 'converted', 2.0),
        ('no cost', 'cleo', 'dan', '2024-02-16', '2024-02-28', 'converted', null),
        ('there', 'eve', 'fay', '2024-03-16', '2024-03-30', 'converted', 3.0),
        ('and back', 'fay', 'eve', '2024-03-16', '2024-03-30', 'converted', 3.0),
        ('one', 'gus', 'hal', '2024-03-16', '2024-03-30', 'converted', 3.0),
        ('two', 'hal', 'ida', '2024-03-16', '2024-03-30', 'converted', 3.0),
        ('three', 'ida', 'gus', '2024-03-16', '2024-03-30', 'converted', 3.0),
        ('across', 'gus', 'eve', '2024-03-16', '2024-03-31', 'converted', 3.0),
        ('taken back', 'gus', 'jim', '2024-03-16', '2024-03-31', 'reversed', 3.0)
    ) as referrals (referral_id, referrer_id, referee_id, invited_at, converted_at, status, cost)";

const LATER: &str = "
    ('later', 'anna', 'ben', '2024-07-01', '2024-07-02', 'converted', 1.0),
    ('not yet', 'cleo', 'anna', '2024-05-01', '2024-07-02', 'converted', 1.0)";

const COSTS: &str = "
    select * replace (cast(cost_date as date) as cost_date) from (values
        ('2024-01-05', 'search', 'acquisition', 90.0),
        ('2024-02-10', 'search', 'acquisition', 90.0),
        ('2024-02-10', 'search', 'loyalty', 1000.0),
        ('2024-03-10', 'social', 'acquisition', 50.0),
        ('2024-03-10', 'tv', 'acquisition', 12.0)
    ) as costs (cost_date, channel, purpose, amount)";

const CUSTOMERS: &str = "
    select * from (values
        ('anna', 'search'), ('ben', 'search'), ('cleo', 'search'), ('fay', 'social'),
        ('eve', 'friends')
    ) as customers (customer_id, acquisition_channel)";

const VALUES: &str = "
    select customer_id, referral_status, value_basis, invitations, conversions, self_referrals,
        cycle_referrals, repeated_referees, referred_customers, referred_value, referral_cost,
        acquisition_cost_saved, type1_value, type2_value, referral_value
    from customer_referrals order by customer_id";

async fn shop(referrals: &str) -> Shop {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    shop.given("customers", CUSTOMERS).await;
    shop.given("referrals", referrals).await;
    shop.given("marketing_costs", COSTS).await;
    shop
}

#[tokio::test]
async fn a_referee_counts_once_and_never_by_oneself_or_in_a_circle() {
    let shop = shop(CIRCLES).await;
    shop.run("2024-06-30").await;
    let rows = "select referral_id, referral_outcome from job.int_referrals order by 2, 1";
    assert_eq!(
        shop.query(rows).await,
        [
            "across converted",
            "no cost converted",
            "not bought converted",
            "once converted",
            "and back cycle",
            "one cycle",
            "there cycle",
            "three cycle",
            "two cycle",
            "nobody yet invited",
            "taken back invited",
            "again repeated_referee",
            "same day repeated_referee",
            "herself self_referral"
        ]
    );
}

/// Paid acquisition cost: 242 for two customers of search in January, one in February, one of
/// social in March; nobody came by tv.
#[tokio::test]
async fn referrals_are_worth_what_referees_bring_and_what_they_spare() {
    let shop = shop(CIRCLES).await;
    shop.run("2024-06-30").await;
    assert_eq!(
        shop.query(VALUES).await,
        [
            "anna ok profit 2 1 1 0 0 1 50.0000 5.0000 60.5 52.75 30.25 83.0",
            "ben ok - 2 1 0 0 1 0 0.0000 2.0000 0.0 -1.0 0.0 -1.0",
            "cleo ok revenue 1 1 0 0 0 1 20.0000 0.0000 60.5 40.25 30.25 70.5",
            "dan ok - 0 0 0 0 0 0 0.0000 0.0000 0.0 0.0 0.0 0.0",
            "eve ok - 1 0 0 1 1 0 0.0000 0.0000 0.0 0.0 0.0 0.0",
            "fay ok - 0 0 0 1 0 0 0.0000 0.0000 0.0 0.0 0.0 0.0",
            "gus ok profit 2 1 0 1 0 1 5.0000 3.0000 60.5 31.25 30.25 61.5",
            "hal ok - 0 0 0 1 0 0 0.0000 0.0000 0.0 0.0 0.0 0.0",
            "ida ok - 0 0 0 1 0 0 0.0000 0.0000 0.0 0.0 0.0 0.0"
        ]
    );
    let engagement = "select customer_id, referral_status, referral_value,
            round(engagement_value - lifetime_value, 9)
        from customer_ltv order by customer_id";
    assert_eq!(
        shop.query(engagement).await,
        [
            "anna ok 83.0 83.0",
            "ben ok -1.0 -1.0",
            "cleo ok 70.5 70.5",
            "dan ok 0.0 0.0",
            "eve ok 0.0 0.0",
            "fay ok 0.0 0.0"
        ]
    );
}

#[tokio::test]
async fn who_would_have_joined_anyway_is_worth_the_spared_cost_alone() {
    let mut shop = shop(CIRCLES).await;
    shop.parameter("would_have_joined = 1.0");
    shop.run("2024-06-30").await;
    let rows = "select type1_value, type2_value, referral_value from customer_referrals
        where customer_id = 'anna'";
    assert_eq!(shop.query(rows).await, ["0.0 60.5 60.5"]);
}

#[tokio::test]
async fn what_happened_after_the_date_changes_no_value() {
    let mut shop = shop(CIRCLES).await;
    shop.run("2024-06-30").await;
    let before = shop.query(VALUES).await;
    let later = CIRCLES.replace("3.0)\n    ) as", &format!("3.0),{LATER}\n    ) as"));
    shop.given("referrals", &later).await;
    shop.run("2024-06-30").await;
    let mut expected = before;
    // the invitation of May is known, the conversion of July is not
    expected[2] = expected[2].replace("revenue 1 1", "revenue 2 1");
    assert_eq!(shop.query(VALUES).await, expected);
    // both of July close circles: anna, cleo; anna, ben, cleo
    shop.run("2024-07-02").await;
    let counts = "select customer_id, conversions, cycle_referrals from customer_referrals
        where customer_id in ('anna', 'ben', 'cleo', 'eve') order by 1";
    assert_eq!(
        shop.query(counts).await,
        ["anna 0 2", "ben 1 1", "cleo 1 1", "eve 1 1"]
    );
}

#[tokio::test]
async fn without_referrals_every_customer_has_a_row_of_nothing() {
    let mut shop = shop(CIRCLES).await;
    shop.run("2024-06-30").await;
    let types = "select column_name, data_type from information_schema.columns
        where table_schema = 'latest' and table_name in ('customer_referrals', 'customer_ltv')
        order by table_name, column_name";
    let with_referrals = shop.query(types).await;
    shop.forget("referrals");
    shop.run("2024-06-30").await;
    assert_eq!(shop.query(types).await, with_referrals);
    let rows = shop.query(VALUES).await;
    let expected = ["anna", "ben", "cleo", "dan", "eve", "fay"]
        .map(|customer| format!("{customer} missing_input - - - - - - - - - - - - -"));
    assert_eq!(rows, expected);
    let values = "select distinct referral_status, referral_value, engagement_value
        from customer_ltv";
    assert_eq!(shop.query(values).await, ["missing_input - -"]);
}

#[tokio::test]
async fn without_marketing_costs_nothing_is_spared_and_the_status_says_so() {
    let mut shop = shop(CIRCLES).await;
    shop.forget("marketing_costs");
    shop.run("2024-06-30").await;
    let rows = shop.query(VALUES).await;
    assert_eq!(
        rows[..3],
        [
            "anna without_acquisition_cost profit 2 1 1 0 0 1 50.0000 5.0000 - 22.5 - 22.5",
            "ben without_acquisition_cost - 2 1 0 0 1 0 0.0000 2.0000 - -1.0 - -1.0",
            "cleo without_acquisition_cost revenue 1 1 0 0 0 1 20.0000 0.0000 - 10.0 - 10.0"
        ]
    );
}

#[tokio::test]
async fn keys_that_are_numbers_stay_numbers() {
    let mut shop = Shop::new();
    shop.given(
        "orders",
        "select value as order_id, value as customer_id, date '2024-01-10' as ordered_at,
            'paid' as status, 10.0 as gross_amount from generate_series(1, 3)",
    )
    .await;
    shop.given(
        "referrals",
        "select 1 as referral_id, 1 as referrer_id, 2 as referee_id,
            date '2024-01-01' as invited_at, date '2024-01-10' as converted_at,
            'converted' as status
        union all
        select 2, 4, 3, date '2024-01-02', date '2024-01-10', 'converted'",
    )
    .await;
    shop.run("2024-06-30").await;
    let rows = "select customer_id, arrow_typeof(customer_id), conversions, referred_value
        from customer_referrals order by customer_id";
    assert_eq!(
        shop.query(rows).await,
        [
            "1 Int64 1 10.0000",
            "2 Int64 0 0.0000",
            "3 Int64 0 0.0000",
            "4 Int64 1 10.0000"
        ]
    );
}
