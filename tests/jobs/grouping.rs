//! How queries group: those of large states in one step, all others in two; by integers with a
//! node of our own.

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

/// What a plan groups by, the last grouping first.
fn keys(plan: &[String]) -> Vec<&str> {
    let groupings = plan[1].split("gby=[").skip(1);
    groupings
        .filter_map(|keys| keys.split(']').next())
        .collect()
}

#[tokio::test]
async fn a_column_of_one_value_is_no_key() {
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    let rows = "from generate_series(1, 1000) as t (i) where i < 999";
    let keys_of_rows = format!(
        "with keyed as (select i % 3 as k, nullif('all', 'all') as one, 7 as two {rows}),
            renamed as (select one as first, k, two as last from keyed)"
    );
    let sums = format!(
        "{keys_of_rows} select first, k, last, count(*), sum(last) from renamed
            group by first, k, last order by k"
    );
    let found = shop.query(&sums).await;
    assert_eq!(
        found,
        ["- 0 7 332 2324", "- 1 7 333 2331", "- 2 7 333 2331"]
    );
    let plan = shop.query(&format!("explain {sums}")).await;
    assert!(
        keys(&plan)
            .iter()
            .all(|keys| keys.matches(" as ").count() == 1),
        "{plan:?}"
    );
    // all are: as many groups as without the rule, none of no rows
    for (wanted, groups) in [("true", vec!["- 7 998"]), ("k > 5", vec![])] {
        let counts = format!(
            "{keys_of_rows} select first, last, count(*) from renamed where {wanted}
                group by first, last"
        );
        assert_eq!(shop.query(&counts).await, groups, "{wanted}");
    }
}

/// Customers and what is known of them, in groups made in one step and in two.
const CUSTOMERS: &str = "
    with orders as (
        select
            arrow_cast(
                case when i % 7001 > 0 then i * 7919 % {customers} - 3500 end, '{type}'
            ) as customer,
            i % 11 <> 0 as is_wanted,
            i % 13 as value,
            cast(cast(19723 + i % 97 as int) as date) as bought_on
        from generate_series(0, 2 * {customers}) as t (i)
    ),

    histories as (
        select
            customer,
            purchase_history(bought_on, value, date '2024-12-31') filter (where is_wanted)
                as history,
            count(*) filter (where value > 6) as large,
            avg(value) as mean
        from orders
        group by customer
    ),

    counts as (
        select customer, count(*) as orders, min(value) as least, sum(value) as total
        from orders
        group by customer
    )
";

/// A query about so many customers, but for NULL, with keys of a type.
fn customers(count: usize, key: &str, select: &str) -> String {
    let count = count.to_string();
    let customers = CUSTOMERS.replace("{customers}", &count);
    customers.replace("{type}", key) + select
}

#[tokio::test]
async fn groups_of_integers_are_those_of_texts() {
    const EACH: &str = "
        select
            cast(histories.customer as text) as customer, history, large, mean, orders, least, total
        from histories
        inner join counts on histories.customer is not distinct from counts.customer
        order by customer";
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    for partitions in [1, 3] {
        shop.engine(&format!("partitions = {partitions}"));
        let expected = shop.query(&customers(70_001, "Utf8", EACH)).await;
        assert_eq!(expected.len(), 70_002); // one of them NULL
        for (key, is_ours) in [("Int64", true), ("Int32", true), ("UInt64", false)] {
            let query = customers(70_001, key, EACH);
            let plan = shop.query(&format!("explain {query}")).await;
            assert_eq!(
                plan[1].matches("IntegerGroupsExec").count(),
                2 * usize::from(is_ours)
            );
            if is_ours {
                assert!(
                    shop.query(&query).await == expected,
                    "{key} in {partitions} partitions"
                );
            }
        }
    }
}

#[tokio::test]
async fn groups_of_integers_for_which_there_is_no_memory_go_to_disk() {
    const IN_ONE_STEP: &str = "
        select count(*), count(customer), sum(large), sum(history['purchase_days'] * customer),
            sum(history['total_value'] * customer), sum(history['recency_days'] * large)
        from histories";
    const IN_TWO_STEPS: &str = "
        select count(*), count(customer), sum(orders * customer), sum(least * orders),
            sum(total * customer)
        from counts";
    let mut shop = Shop::new();
    shop.given("orders", ORDERS).await;
    for (count, select) in [(250_007, IN_ONE_STEP), (600_011, IN_TWO_STEPS)] {
        let query = customers(count, "Int64", select);
        shop.memory_limit("4GB");
        let expected = shop.query(&query).await;
        shop.memory_limit("20MB");
        assert_eq!(shop.query(&query).await, expected);
        let taken = shop.query(&format!("explain analyze {query}")).await;
        let taken = taken.concat();
        let ours = taken.split("IntegerGroupsExec").nth(1).expect("our node");
        let spilled = ours.split("spill_count=").nth(1).expect("a metric");
        assert!(!spilled.starts_with('0'), "{taken}");
    }
}
