//! Segments: stages by the customer's own rhythm, portfolio groups, labels, satisfaction.

use crate::shop::Shop;

const AS_OF: &str = "2024-12-31";

/// Orders of customers, each with an amount and the days before 2024-12-31 on which it was paid.
fn orders(customers: &[(&str, f64, &[i64])]) -> String {
    let rows = customers.iter().flat_map(|(customer, amount, days)| {
        let row = move |day| format!("('{customer}', {amount:?}, {day})");
        days.iter().map(row)
    });
    format!(
        "select customer_id || '/' || day as order_id, customer_id, 'paid' as status, gross_amount,
            arrow_cast(1735603200 - day * 86400, 'Timestamp(Second, None)') as ordered_at
        from (values {}) as orders (customer_id, gross_amount, day)",
        rows.collect::<Vec<_>>().join(", ")
    )
}

async fn shop(customers: &[(&str, f64, &[i64])]) -> Shop {
    let mut shop = Shop::new();
    shop.given("orders", &orders(customers)).await;
    shop
}

fn segments(scheme: &str) -> String {
    format!(
        "select customer_id, segment, segment_rank from customer_segments
        where scheme = '{scheme}' order by customer_id"
    )
}

#[tokio::test]
async fn stages_compare_silence_with_the_expected_gap() {
    // all repeat buyers: 2400 days between 24 purchases, so that G is 100
    let shop = shop(&[
        ("active", 1.0, &[310, 210, 110, 10]),
        ("at 1.5", 1.0, &[350, 250, 150]),
        ("at 1.6", 1.0, &[360, 260, 160]),
        ("at 3", 1.0, &[500, 400, 300]),
        ("at 3.01", 1.0, &[501, 401, 301]),
        // expected before the last gap: (recency − last gap + G) / repeats = 100
        ("back after 300", 1.0, &[511, 411, 311, 11]),
        ("back after 400", 1.0, &[611, 511, 411, 11]),
        ("back at last", 1.0, &[199, 11]),
        ("new, then silent", 1.0, &[90, 88, 86, 84, 82, 80, 78]),
        ("once, 90 days old", 1.0, &[90]),
        ("once, 91 days old", 1.0, &[91]),
    ])
    .await;
    shop.run(AS_OF).await;
    assert_eq!(
        shop.query(&segments("purchase_stage")).await,
        [
            "active active 1",
            "at 1.5 active 1",
            "at 1.6 at_risk 4",
            "at 3 at_risk 4",
            "at 3.01 lapsed 5",
            "back after 300 active 1",
            "back after 400 returned 2",
            "back at last active 1",
            "new, then silent lapsed 5",
            "once, 90 days old new 3",
            "once, 91 days old active 1",
        ]
    );
}

#[tokio::test]
async fn without_repeat_buyers_there_is_no_rhythm_to_measure_by() {
    let shop = shop(&[("new", 1.0, &[90]), ("old", 1.0, &[91])]).await;
    shop.run(AS_OF).await;
    assert_eq!(
        shop.query(&segments("purchase_stage")).await,
        ["new new 3", "old unknown 6"]
    );
}

#[tokio::test]
async fn portfolio_groups_follow_tenure_spend_and_silence() {
    let shop = shop(&[
        ("a", 900.0, &[239]),
        ("b", 900.0, &[240]),
        ("c", 900.0, &[90, 1]),
        ("d", 900.0, &[329, 240]),
        ("e", 250.0, &[91, 1]),
        ("f", 250.0, &[450, 240]),
        ("g", 250.01, &[210, 1]),
        ("h", 250.01, &[330, 240]),
        ("i", 250.01, &[211, 1]),
        ("j", 250.01, &[450, 240]),
    ])
    .await;
    shop.run(AS_OF).await;
    assert_eq!(
        shop.query(&segments("cpm")).await,
        [
            "a first_time_current 5",
            "b first_time_lapsed 10",
            "c toddling_current 4",
            "d toddling_lapsed 9",
            "e steady_current 3",
            "f steady_lapsed 8",
            "g trendy_current 2",
            "h trendy_lapsed 7",
            "i prime_current 1",
            "j prime_lapsed 6",
        ]
    );
    let labels = "select label_ja, label_en from segment_labels where scheme = 'cpm'
        order by segment_rank limit 4";
    assert_eq!(
        shop.query(labels).await,
        [
            "優良現役客 Prime, current",
            "流行現役客 Trendy, current",
            "コツコツ現役客 Steady, current",
            "よちよち現役客 Toddling, current",
        ]
    );
}

#[tokio::test]
async fn every_segment_has_a_label_and_every_scheme_ranks_from_one() {
    let shop = shop(&[
        ("a", 1.0, &[5, 1]),
        ("b", 2.0, &[300]),
        ("c", 3.0, &[700, 600]),
    ])
    .await;
    shop.run(AS_OF).await;
    let ranks = "select scheme, count(*), min(segment_rank), max(segment_rank),
            count(distinct segment_rank), count(label_en), count(label_ja)
        from segment_labels group by scheme order by scheme";
    assert_eq!(
        shop.query(ranks).await,
        [
            "cpm 10 1 10 10 10 10",
            "loyalty_tier 5 1 5 5 5 5",
            "ltv_decile 10 1 10 10 10 10",
            "purchase_stage 6 1 6 6 6 6",
            "rfm 11 1 11 11 11 11",
        ]
    );
    let schemes = "select scheme, sum(customers) from segment_ltv group by scheme order by scheme";
    assert_eq!(
        shop.query(schemes).await,
        [
            "cpm 3",
            "loyalty_tier 3",
            "ltv_decile 3",
            "purchase_stage 3",
            "rfm 3"
        ]
    );
}

/// Answers of customers to question 'csat', on a scale from 1 to 5.
fn answers(values: &[(&str, f64)]) -> String {
    let rows = values
        .iter()
        .map(|(customer, value)| format!("('{customer}', {value:?})"));
    format!(
        "select customer_id as answer_id, customer_id, 'csat' as question, value,
            1.0 as scale_min, 5.0 as scale_max, timestamp '2024-12-01T00:00:00' as answered_at
        from (values {}) as answers (customer_id, value)",
        rows.collect::<Vec<_>>().join(", ")
    )
}

#[tokio::test]
async fn satisfaction_is_compared_with_behavior_within_each_segment() {
    // equal but for the amount: the more it is, the higher is the behavioral score
    let mut shop = shop(&[
        ("a", 10.0, &[9]),
        ("b", 20.0, &[9]),
        ("c", 30.0, &[9]),
        ("d", 40.0, &[9]),
    ])
    .await;
    let correlation = "select satisfaction_loyalty_spearman, satisfaction_customers,
            satisfaction_status
        from segment_ltv where scheme = 'cpm'";
    shop.run(AS_OF).await;
    assert_eq!(shop.query(correlation).await, ["- 0 missing_input"]);
    let against = [("a", 5.0), ("b", 4.0), ("c", 2.0)];
    shop.given("survey_answers", &answers(&against)).await;
    shop.run(AS_OF).await;
    assert_eq!(shop.query(correlation).await, ["-1.0 3 ok"]);
    shop.given("survey_answers", &answers(&against[..1])).await;
    shop.run(AS_OF).await;
    assert_eq!(shop.query(correlation).await, ["- 1 too_few"]);
}
