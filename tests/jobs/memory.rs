//! Runs with little memory: what does not fit goes to disk, and the tables are the same.

use crate::shop::Shop;

#[tokio::test]
async fn with_little_memory_a_run_spills_works_in_steps_and_publishes_the_same() {
    let mut shop = Shop::new();
    shop.parameter("models = [\"bg_nbd\"]");
    shop.given(
        "orders",
        "select 'o' || i as order_id, 'c' || (i * 7919 % 60000) as customer_id, 'paid' as status,
            to_timestamp(1704448800 + i * 31 % 8000 * 3600) as ordered_at,
            i * 13 % 9700 / 100.0 as gross_amount
         from generate_series(0, 299999) as t (i)",
    )
    .await;
    let tables = [
        "select count(*), sum(orders), sum(net_revenue), max(age_days) from customer_metrics",
        "select count(loyalty_score), max(loyalty_score) from loyalty_scores",
        "select scheme, segment, customers, total_ltv, gini from segment_ltv order by 1, 2",
    ];
    let mut published = Vec::new();
    for (limit, is_short) in [(4_000_000_000, false), (24_000_000, true)] {
        shop.memory_limit(&limit.to_string());
        let report = shop.run("2024-12-31").await;
        let taken = report.resources;
        assert_eq!(taken.spill.count > 0, is_short, "{limit}: {taken:?}");
        assert!(taken.peak_accounted <= limit, "{limit}: {taken:?}");
        let mut warnings = report.warnings.iter();
        let in_steps = warnings.any(|text| text.contains("out of memory, so computed again"));
        assert_eq!(in_steps, is_short, "{limit}: {:?}", report.warnings);
        let mut rows = Vec::new();
        for table in tables {
            rows.extend(shop.query(table).await);
        }
        published.push(rows);
    }
    assert!(published[0].len() > 10, "{published:?}");
    assert_eq!(published[0], published[1]);
}
