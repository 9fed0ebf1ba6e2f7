//! Answers, reviews, tickets and mentions: what is known of each customer, and of each month.

use crate::shop::Shop;

const ORDERS: &str = "
    select * replace (cast(ordered_at as date) as ordered_at) from (values
        (1, 'ana', '2024-01-05', 20.0), (2, 'ana', '2024-03-05', 20.0),
        (3, 'bob', '2024-01-20', 40.0), (4, 'cy', '2024-02-03', 30.0)
    ) as orders (order_id, customer_id, ordered_at, gross_amount)
    cross join (values ('paid')) as rest (status)";

const ANSWERS: &str = "
    select * replace (cast(answered_at as timestamp) as answered_at) from (values
        (1, 'ana', '2024-01-10', 'nps', null, 9.0, 0.0, 10.0),
        (2, 'ana', '2024-05-10', 'nps', null, 6.0, 0.0, 10.0),
        (3, 'bob', '2024-05-11', 'nps', null, 10.0, 0.0, 10.0),
        (4, 'bob', '2024-05-11', 'csat', null, 5.0, 1.0, 5.0),
        (5, 'bob', '2024-05-12', 'csat', null, 2.0, 1.0, 5.0),
        (6, 'cy', '2024-05-12', 'csat', null, 6.0, 7.0, 1.0),
        (7, 'cy', '2024-05-12', 'csat', null, 9.0, 1.0, 5.0),
        (8, 'cy', '2024-05-12', 'nps', null, 7.5, 0.0, 10.0),
        (9, null, '2024-05-13', 'nps', null, 8.0, 0.0, 10.0),
        (10, 'ana', '2024-05-14', 'expectation', 'price', 5.0, 1.0, 5.0),
        (11, 'ana', '2024-05-14', 'performance', 'price', 3.0, 1.0, 5.0),
        (12, 'ana', '2024-05-14', 'expectation', 'delivery', 3.0, 1.0, 5.0),
        (13, 'ana', '2024-05-14', 'performance', 'delivery', 4.0, 1.0, 5.0),
        (14, 'ana', '2024-05-14', 'performance', null, 4.0, 1.0, 5.0)
    ) as answers (answer_id, customer_id, answered_at, question, aspect, value, scale_min,
        scale_max)";

const LATER_ANSWERS: &str = "
    union all
    select 15, 'ana', timestamp '2024-07-01', 'nps', null, 10.0, 0.0, 10.0
    union all
    select 3, 'bob', timestamp '2024-07-01', 'nps', null, 0.0, 0.0, 10.0";

const REVIEWS: &str = "
    select * replace (cast(reviewed_at as timestamp) as reviewed_at) from (values
        (1, 'ana', '2024-05-20', 5.0), (2, 'bob', '2024-05-21', 4.0), (3, null, '2024-05-22', 1.0)
    ) as reviews (review_id, customer_id, reviewed_at, rating)
    cross join (values (1.0, 5.0)) as scale (scale_min, scale_max)";

const TICKETS: &str = "
    select * replace (
        cast(opened_at as timestamp) as opened_at, cast(resolved_at as timestamp) as resolved_at
    ) from (values
        (1, 'ana', '2024-05-01 08:00:00', '2024-05-01 18:00:00', 'complaint'),
        (2, 'ana', '2024-05-02 00:00:00', '2024-05-03 00:00:00', 'howto'),
        (3, 'ana', '2023-01-01 00:00:00', null, 'complaint'),
        (4, 'bob', '2024-06-01 00:00:00', '2024-07-05 00:00:00', 'defect')
    ) as tickets (ticket_id, customer_id, opened_at, resolved_at, kind)";

const MENTIONS: &str = "
    select * replace (cast(mentioned_at as timestamp) as mentioned_at) from (values
        (1, 'bob', '2024-05-05', 0.5), (2, 'bob', '2024-05-06', null), (3, 'cy', '2024-05-07', -0.2)
    ) as mentions (mention_id, customer_id, mentioned_at, sentiment)";

const SATISFACTION: &str = "
    select customer_id, nps_answer, nps_class, nps_answered_on, csat_answers, csat_mean,
        expectation_gap, expectation_aspects, complaints, questions, unresolved_tickets,
        median_hours_to_resolution, last_feedback_on, satisfaction_status, nps_status, csat_status,
        gap_status, support_status, resolution_status
    from customer_satisfaction order by customer_id";

const SUMMARY: &str = "
    select * exclude (as_of_date, run_id) from feedback_summary order by feedback_month, source";

async fn shop(answers: &str) -> Shop {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    shop.given("survey_answers", answers).await;
    shop.given("reviews", REVIEWS).await;
    shop.given("support_tickets", TICKETS).await;
    shop.given("social_mentions", MENTIONS).await;
    shop.parameter("min_group_size = 2");
    shop
}

#[tokio::test]
async fn what_each_customer_said_is_summed_up() {
    let shop = shop(ANSWERS).await;
    shop.run("2024-06-30").await;
    assert_eq!(
        shop.query(SATISFACTION).await,
        [
            "ana 6 detractor 2024-05-10 0 - -0.125 2 1 1 1 17.0 2024-05-20 ok ok no_answer ok ok \
             ok",
            "bob 10 promoter 2024-05-11 2 0.625 - 0 0 0 1 - 2024-05-21 ok ok ok no_answer ok \
             nothing_resolved",
            "cy - - - 1 0.166666666667 - 0 0 0 0 - 2024-05-12 ok no_answer ok no_answer ok \
             nothing_resolved",
        ]
    );
}

#[tokio::test]
async fn a_month_has_figures_with_intervals_unless_there_are_too_few_answers() {
    let shop = shop(ANSWERS).await;
    shop.run("2024-06-30").await;
    let counts = "select feedback_month, source, responses, invalid_answers, nps_responses,
            nps_status, csat_responses, csat_status, ratings, rating_status, judged_responses,
            positive_status
        from feedback_summary order by feedback_month, source";
    assert_eq!(
        shop.query(counts).await,
        [
            "2024-01-01 survey_answers 1 0 1 suppressed 0 no_answers 0 no_answers 0 no_answers",
            "2024-05-01 reviews 3 0 0 no_answers 0 no_answers 3 ok 3 ok",
            "2024-05-01 social_mentions 3 0 0 no_answers 0 no_answers 0 no_answers 2 ok",
            "2024-05-01 survey_answers 11 2 3 ok 3 ok 0 no_answers 0 no_answers",
        ]
    );
    let figures = "select round(nps, 4), round(nps_ci_low, 4), round(nps_ci_high, 4),
            round(csat, 6), round(csat_ci_low, 6), round(csat_ci_high, 6), round(mean_rating, 6),
            round(mean_rating_ci_low, 6), round(mean_rating_ci_high, 6), positive_responses,
            round(positive_share, 6), round(positive_ci_low, 6), round(positive_ci_high, 6)
        from feedback_summary order by feedback_month, source";
    assert_eq!(
        shop.query(figures).await,
        [
            "- - - - - - - - - - - - -",
            "- - - - - - 0.583333 -0.709453 1.87612 2 0.666667 0.20766 0.938508",
            "- - - - - - - - - 1 0.5 0.094531 0.905469",
            "0.0 -92.3936 92.3936 0.333333 0.061492 0.79234 - - - - - - -",
        ]
    );
}

#[tokio::test]
async fn answers_after_the_date_change_nothing_and_copies_of_a_key_count_once() {
    let (before, after) = (
        shop(ANSWERS).await,
        shop(&format!("{ANSWERS}{LATER_ANSWERS}")).await,
    );
    for shop in [&before, &after] {
        shop.run("2024-06-30").await;
    }
    for tables in [SATISFACTION, SUMMARY] {
        assert_eq!(before.query(tables).await, after.query(tables).await);
    }
    after.run("2024-07-31").await;
    let answers = "select nps_answer from customer_satisfaction order by customer_id";
    assert_eq!(after.query(answers).await, ["10", "0", "-"]);
}

#[tokio::test]
async fn what_nobody_asked_is_told_from_what_nobody_answered() {
    let all = shop(ANSWERS).await;
    all.run("2024-06-30").await;
    let mut orders_only = Shop::new();
    orders_only.given("orders", ORDERS).await;
    orders_only.run("2024-06-30").await;
    let missing = "- - - - - - - - - - - - missing_input missing_input missing_input \
                   missing_input missing_input missing_input";
    assert_eq!(
        orders_only.query(SATISFACTION).await,
        ["ana", "bob", "cy"].map(|customer| format!("{customer} {missing}"))
    );
    assert!(orders_only.query(SUMMARY).await.is_empty());
    let columns = "select table_name, column_name, data_type from information_schema.columns
        where table_schema = 'latest' order by 1, 2";
    let (few, many) = (orders_only.query(columns).await, all.query(columns).await);
    assert!(few.len() > 200, "columns are listed");
    assert_eq!(
        few, many,
        "no table and no column depends on what is supplied"
    );
}
