//! Loyalty scores: what they are made of, and what they say when something is missing.

use crate::shop::Shop;

/// Twelve customers, of whom 1 and 2 are alike, as are 3 and 4, and so on.
const ORDERS: &str = "
    select customer * 100 + purchase as order_id, customer as customer_id, 'paid' as status,
        date '2023-01-10' + cast(purchase * 7 * ((customer + 1) / 2) as int) as ordered_at,
        10.0 * ((customer + 1) / 2) as gross_amount
    from generate_series(1, 12) as customers (customer)
    cross join generate_series(1, 8) as purchases (purchase)
    where purchase <= 2 + (customer + 1) / 2";

const SCORES: &str = "
    select customer_id, loyalty_score, loyalty_tier, coverage, behavioral_score, attitudinal_score,
        advocacy_score, satisfaction_score, loyalty_type, satisfaction_quadrant
    from loyalty_scores order by customer_id";

fn answers(rows: &str) -> String {
    format!(
        "select *, 0.0 as scale_min, 10.0 as scale_max, timestamp '2023-06-01' as answered_at
        from (values {rows}) as answers (answer_id, customer_id, question, value)"
    )
}

const CONTACTS: [(&str, &str); 4] = [
    (
        "survey_answers",
        "select column1 as answer_id, column2 as customer_id, column3 as question, column4 as value,
            0.0 as scale_min, 10.0 as scale_max, timestamp '2023-06-01' as answered_at
        from (values (1, 3, 'nps', 5.0), (2, 4, 'nps', 5.0), (3, 3, 'csat', 5.0),
            (4, 4, 'csat', 5.0), (5, 3, 'trust', 5.0), (6, 4, 'trust', 5.0), (7, 5, 'nps', 9.0))",
    ),
    (
        "reviews",
        "select 1 as review_id, 9 as customer_id, 5.0 as rating, 1.0 as scale_min,
            5.0 as scale_max, timestamp '2023-06-01' as reviewed_at",
    ),
    (
        "social_mentions",
        "select 1 as mention_id, 9 as customer_id, timestamp '2023-06-01' as mentioned_at",
    ),
    (
        "support_tickets",
        "select column1 as ticket_id, column2 as customer_id, 'complaint' as kind,
            timestamp '2023-06-01' as opened_at
        from (values (1, 3), (2, 4), (3, 3), (4, 4), (5, 7))",
    ),
];

async fn shop(contacts: &[(&str, String)]) -> Shop {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    for (name, rows) in contacts {
        shop.given(name, rows).await;
    }
    shop
}

fn contacts() -> Vec<(&'static str, String)> {
    CONTACTS
        .map(|(name, rows)| (name, rows.to_owned()))
        .to_vec()
}

#[tokio::test]
async fn orders_alone_give_a_score_that_says_what_it_lacks() {
    let shop = shop(&[]).await;
    shop.run("2023-06-30").await;
    let coverage = "select distinct coverage, attitudinal_score, advocacy_score,
            satisfaction_score, loyalty_type, satisfaction_quadrant, score_status,
            behavioral_status, attitudinal_status, advocacy_status, satisfaction_status,
            score_change_status
        from loyalty_scores";
    assert_eq!(
        shop.query(coverage).await,
        ["0.6 - - - - - ok ok missing_input missing_input missing_input first_run"]
    );
    let statuses = "select component, component_status, count(*), count(unit_value),
            count(contribution)
        from loyalty_score_components group by 1, 2 order by 2, 1";
    assert_eq!(
        shop.query(statuses).await,
        [
            "advocacy missing_input 12 0 0",
            "recommendation missing_input 12 0 0",
            "satisfaction missing_input 12 0 0",
            "social_activity missing_input 12 0 0",
            "support_friction missing_input 12 0 0",
            "average_order_value ok 12 12 12",
            "purchase_frequency ok 12 12 12",
            "purchase_recency ok 12 12 12",
            "regularity ok 12 12 12",
            "tenure ok 12 12 12",
        ]
    );
}

#[tokio::test]
async fn people_who_did_and_said_the_same_have_the_same_score() {
    let shop = shop(&contacts()).await;
    shop.run("2023-06-30").await;
    let rows = shop.query(SCORES).await;
    let without_name = |row: &String| row.split_once(' ').map(|(_, rest)| rest.to_owned());
    // 5, 7 and 9 were asked or heard of without their twins
    for pair in [0, 2, 10] {
        assert_eq!(without_name(&rows[pair]), without_name(&rows[pair + 1]));
    }
    assert_ne!(without_name(&rows[0]), without_name(&rows[2]));
}

#[tokio::test]
async fn more_of_a_good_thing_never_lowers_a_score() {
    let score = "select loyalty_score from loyalty_scores where customer_id = 3";
    let before = shop(&contacts()).await;
    before.run("2023-06-30").await;
    let before: f64 = before.query(score).await[0].parse().expect("a score");
    let good_things = [
        ("survey_answers", "(1, 3, 'nps', 5.0)", "(1, 3, 'nps', 8.0)"),
        (
            "survey_answers",
            "(3, 3, 'csat', 5.0)",
            "(3, 3, 'csat', 6.0)",
        ),
        ("support_tickets", "(1, 3), ", ""),
        ("reviews", "9 as customer_id", "3 as customer_id"),
        ("social_mentions", "9 as customer_id", "3 as customer_id"),
    ];
    for (source, less, more) in good_things {
        let mut better = contacts();
        for (name, rows) in &mut better {
            if *name == source {
                assert!(rows.contains(less), "{less}");
                *rows = rows.replace(less, more);
            }
        }
        let shop = shop(&better).await;
        shop.run("2023-06-30").await;
        let after: f64 = shop.query(score).await[0].parse().expect("a score");
        assert!(after > before, "{source}: {after} after {before}");
    }
}

#[tokio::test]
async fn attitude_rests_on_stated_answers_and_on_enough_of_them() {
    let rows = "(1, 1, 'nps', 9.0), (2, 1, 'trust', 8.0), (3, 2, 'nps', 9.0),
        (4, 11, 'trust', 1.0), (5, 11, 'preference', 2.0), (6, 11, 'repurchase', 3.0),
        (7, 1, 'csat', 9.0), (8, 11, 'csat', 1.0)";
    let shop = shop(&[("survey_answers", answers(rows))]).await;
    shop.run("2023-06-30").await;
    let types = "select customer_id, round(attitudinal_score, 6), attitudinal_status,
            round(behavioral_score, 6) >= 50, loyalty_type, satisfaction_score, satisfaction_status,
            satisfaction_quadrant
        from loyalty_scores where customer_id in (1, 2, 11, 12) order by customer_id";
    assert_eq!(
        shop.query(types).await,
        [
            "1 85.0 ok false latent 90.0 ok mercenary",
            "2 - insufficient_coverage false - - no_answer -",
            "11 20.0 ok true spurious 10.0 ok hostage",
            "12 - insufficient_coverage true - - no_answer -",
        ]
    );
}

#[tokio::test]
async fn anchors_take_the_place_of_percentiles() {
    let mut shop = shop(&[]).await;
    shop.parameter("anchors_average_order_value = [20, 50.0]");
    shop.run("2023-06-30").await;
    let units = "select round(raw_value, 6), round(unit_value, 6) from loyalty_score_components
        where component = 'average_order_value' and customer_id % 2 = 0 order by customer_id";
    assert_eq!(
        shop.query(units).await,
        [
            "10.0 0.0",
            "20.0 0.0",
            "30.0 0.333333",
            "40.0 0.666667",
            "50.0 1.0",
            "60.0 1.0"
        ]
    );
    shop.parameter("anchors_tenure = [50, 20]");
    let error = shop
        .try_run("2023-06-30")
        .await
        .expect_err("an audit fails");
    assert!(error.to_string().contains("anchors_ascend"), "{error}");
}

#[tokio::test]
async fn a_score_is_compared_with_the_run_before() {
    let shop = shop(&[]).await;
    shop.run("2023-02-10").await;
    shop.run("2023-06-30").await;
    shop.run("2023-06-30").await;
    let changes = "select count(*), score_change_status, previous_as_of_date
        from loyalty_scores group by 2, 3 order by 2";
    assert_eq!(
        shop.query(changes).await,
        ["4 new_customer 2023-02-10", "8 ok 2023-02-10"]
    );
    let difference = "select distinct now.score_change = now.loyalty_score - earlier.loyalty_score
        from latest.loyalty_scores as now
        inner join history.loyalty_scores as earlier
            on now.customer_id = earlier.customer_id
            and earlier.as_of_date = date '2023-02-10'";
    assert_eq!(shop.query(difference).await, ["true"]);
}
