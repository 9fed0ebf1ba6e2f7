//! Contracts: how many periods they have had, what they will bring, who is renewed.

use crate::shop::Shop;

const ORDER: &str = "select 'o1' as order_id, 1 as customer_id, date '2024-01-01' as ordered_at,
    'paid' as status, 1.0 as gross_amount";

const DATES: &str = "
    select * from (values
        ('on the day', 1, '2024-01-15', '2024-02-15', 1.0),
        ('a day later', 2, '2024-01-15', '2024-02-16', 1.0),
        ('at once', 3, '2024-01-15', '2024-01-15', 1.0),
        ('goes on', 4, '2024-01-20', null, 1.0),
        ('is renewed', 5, '2024-01-19', null, 1.0),
        ('ends later', 6, '2023-12-31', '2024-07-01', 1.0),
        ('begins later', 7, '2024-06-20', null, 1.0),
        ('backwards', 8, '2024-01-15', '2024-01-14', 1.0),
        ('twice', 9, '2024-01-15', null, 1.0),
        ('twice', 9, '2024-01-15', '2024-03-15', 1.0),
        ('test', 99, '2024-01-15', null, 1.0)
    ) as contracts (contract_id, customer_id, started_on, ended_on, value_per_period)";

#[tokio::test]
async fn periods_are_begun_until_a_contract_ends_and_renewed_while_it_goes_on() {
    let mut shop = Shop::new();
    shop.parameter("max_quarantined_share = 0.5");
    shop.given("orders", ORDER).await;
    shop.given("customers", "select 99 as customer_id, true as is_test")
        .await;
    shop.given("contracts", DATES).await;
    shop.file(
        "staging/stg_contracts.sql",
        "select contract_id, customer_id, cast(started_on as date) as started_on,
            cast(ended_on as date) as ended_on, value_per_period from source.contracts",
    );
    shop.run("2024-06-19").await;
    let rows = "select contract_id, outcome, rule, periods, is_ended from job.contract_outcomes
        order by customer_id";
    assert_eq!(
        shop.query(rows).await,
        [
            "on the day valid - 1 true",
            "a day later valid - 2 true",
            "at once valid - 1 true",
            "goes on valid - 4 false",
            "is renewed valid - 5 false",
            "ends later valid - 5 false",
            "begins later after_as_of_date - 0 false",
            "backwards quarantined ended_on_check 1 true",
            "twice valid - 2 true",
            "test test_customer - 5 false",
        ]
    );
    let counts =
        "select outcome, rows from job.int_run_counts where source = 'contracts' order by 1";
    assert_eq!(
        shop.query(counts).await,
        [
            "after_as_of_date 1",
            "quarantined 1",
            "test_customer 1",
            "valid 7"
        ]
    );
    let curve = "select period, at_risk, ended, round(survival, 4) from retention_curve
        where cohort = '(all)' order by period";
    assert_eq!(
        shop.query(curve).await,
        [
            "1 7 2 0.7143",
            "2 5 2 0.4286",
            "4 3 0 0.4286",
            "5 2 0 0.4286"
        ]
    );
    let cohorts = "select cohort, max(at_risk) from retention_curve group by cohort order by 1";
    assert_eq!(
        shop.query(cohorts).await,
        ["(all) 7", "2023-12 1", "2024-01 6"]
    );
}

/// Fader and Hardie (2007), table 1, the regular segment, 1,000 contracts renewed every year.
const REGULAR: &str = "
    select value as contract_id, value % 900 as customer_id, date '2010-01-01' as started_on,
        case
            when value <= 369 then date '2011-01-01' when value <= 532 then date '2012-01-01'
            when value <= 618 then date '2013-01-01' when value <= 674 then date '2014-01-01'
            when value <= 711 then date '2015-01-01' when value <= 738 then date '2016-01-01'
            when value <= 759 then date '2017-01-01'
        end as ended_on,
        20.0 as value_per_period
    from generate_series(1, 1000)";

#[tokio::test]
async fn contracts_of_fader_and_hardie_2007_have_the_published_model_and_its_value() {
    let mut shop = Shop::new();
    shop.parameter("contract_period_months = 12");
    shop.given("orders", ORDER).await;
    shop.given("contracts", REGULAR).await;
    shop.run("2017-01-01").await;
    let fit = "select parameter, round(value, 3), round(log_likelihood, 3), time_unit, is_selected
        from model_fits where model = 'sbg' order by parameter";
    assert_eq!(
        shop.query(fit).await,
        [
            "alpha 0.704 -1680.265 contract period true",
            "beta 1.182 -1680.265 contract period true"
        ]
    );
    let curve = "select period, at_risk, ended, round(survival, 3), ci_low < survival,
            round(abs(fitted_survival - sbg_survival(
                fitted_model('sbg', [0.704077, 1.182043]), period)), 5)
        from retention_curve where cohort = '2010-01' order by period";
    let curve = shop.query(curve).await;
    assert_eq!(curve[0], "1 1000 369 0.631 true 0.0");
    assert_eq!(curve[6], "7 262 21 0.241 true 0.0");
    // customer 100 has contract 100, which has ended, and contract 1000, which goes on
    let values = "
        select customer_id, contract_status, contracts, running_contracts, value_per_period,
            round(abs(residual_lifetime_periods - sbg_expected_lifetime(
                fitted_model('sbg', [0.704077, 1.182043]), 8, 0.1)), 4),
            round(abs(residual_value - 20 * residual_lifetime_periods), 4)
        from contract_ltv where customer_id in (100, 200, 800) order by customer_id";
    assert_eq!(
        shop.query(values).await,
        [
            "100 ok 2 1 20.0000 0.0 0.0",
            "200 ended 1 0 0.0000 6.8423 0.0",
            "800 ok 1 1 20.0000 0.0 0.0"
        ]
    );
}

#[tokio::test]
async fn without_contracts_their_tables_are_empty() {
    let mut shop = Shop::new();
    shop.given("orders", ORDER).await;
    shop.run("2024-06-19").await;
    for table in ["contract_ltv", "retention_curve"] {
        let rows = format!("select count(*) from {table}");
        assert_eq!(shop.query(&rows).await, ["0"], "{table}");
    }
    let fits = "select count(*) from model_fits where model = 'sbg'";
    assert_eq!(shop.query(fits).await, ["0"]);
}
