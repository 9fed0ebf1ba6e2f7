//! How queries group: those of large states in one step, all others in two.

use crate::shop::Shop;

/// A project needs orders, these queries none.
const ORDERS: &str = "select 'o1' as order_id, 'anna' as customer_id, 'paid' as status,
    timestamp '2024-01-05T10:00:00' as ordered_at, 1.0 as gross_amount";

const HISTORIES: &str = "
    select
        customer,
        purchase_history(cast(cast(19723 + i % 97 as int) as date), i % 13, date '2024-12-31')
            filter (where i % 11 <> 0) as history,
        count(*) as orders
    from (select i, i % 7001 as customer from generate_series(0, 99999) as t (i))
    group by customer";

const SUMS: &str = "
    select count(*), sum(orders), sum(history['purchase_days']), sum(history['recency_days']),
        sum(customer * history['total_value'])";

/// The modes of a plan's groupings, the last one first.
fn steps(plan: &[String]) -> Vec<&str> {
    let [_, physical] = plan else {
        panic!("a logical and a physical plan: {plan:?}");
    };
    let nodes = physical.split("AggregateExec: mode=").skip(1);
    nodes.filter_map(|node| node.split(',').next()).collect()
}

#[tokio::test]
async fn histories_are_grouped_in_one_step_and_are_the_same() {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    let mut rows = Vec::new();
    for partitions in [1, 3] {
        shop.engine(&format!("partitions = {partitions}"));
        rows.push(shop.query(&format!("{SUMS} from ({HISTORIES})")).await);
    }
    assert_eq!(rows[0], rows[1]);
    let plan = shop.query(&format!("explain {HISTORIES}")).await;
    assert_eq!(steps(&plan), ["SinglePartitioned"], "{plan:?}");
    let counts = "select i % 7 as k, count(*) from generate_series(0, 99999) as t (i) group by k";
    let plan = shop.query(&format!("explain {counts}")).await;
    assert_eq!(steps(&plan), ["FinalPartitioned", "Partial"], "{plan:?}");
}
