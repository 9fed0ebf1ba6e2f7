//! Models of purchases: how one is chosen, and what groups of customers get their own.

use crate::shop::Shop;

/// Customers of a known model, from 2024-01-01 on.
async fn simulated(customers: usize, days: usize) -> Shop {
    let mut shop = Shop::new();
    let orders = format!("select * from simulate_purchases({customers}, {days}, 42)");
    shop.given("orders", &orders).await;
    shop
}

#[tokio::test]
async fn figures_of_the_holdout_are_those_of_orders_cut_off_there() {
    let shop = simulated(600, 731).await;
    shop.run("2025-12-31").await;
    // all over again from the orders, with the last 180 days as future
    let expected = "
        with histories as (
            select
                purchase_history(cast(ordered_at as date), gross_amount, date '2025-07-04')
                    filter (where ordered_at < date '2025-07-05') as history,
                cast(count(distinct cast(ordered_at as date))
                    filter (where ordered_at >= date '2025-07-05') as double) as actual
            from source.orders group by customer_id
        ),
        known as (
            select history['repeat_purchases'] as x, history['recency_days'] as t_x,
                history['age_days'] as age, actual
            from histories where history['purchase_days'] > 0
        ),
        scored as (
            select x, age, actual,
                round(btyd_expected_purchases((select mbg_nbd_fit(x, t_x, age) from known),
                    x, t_x, age, 180), 9) as predicted,
                btyd_purchase_probability((select mbg_nbd_fit(x, t_x, age) from known),
                    x, t_x, age, 180, actual) as probability
            from known
        )
        select
            180, count(*), round(sum(ln(probability)), 6), round(avg(abs(predicted - actual)), 6),
            round(sqrt(avg(power(predicted - actual, 2))), 6), round(avg(predicted - actual), 6),
            round(spearman(predicted, actual), 6), round(gini_normalized(predicted, actual), 6),
            cast(sum(actual) as bigint), round(sum(predicted), 6),
            round(avg(abs(x * 180.0 / greatest(age, 30) - actual)), 6), date '2025-07-04'
        from scored";
    let found = "
        select holdout_days, customers, round(log_likelihood_holdout, 6), round(mae, 6),
            round(rmse, 6), round(bias, 6), round(spearman, 6), round(gini_normalized, 6),
            actual_purchases, round(predicted_purchases, 6), round(naive_mae, 6), calibration_end
        from model_evaluation where model = 'mbg_nbd'";
    let expected = shop.query(expected).await;
    assert!(expected[0].starts_with("180 4"), "{expected:?}");
    assert_eq!(shop.query(found).await, expected);
}

#[tokio::test]
async fn the_best_model_of_the_holdout_is_used_and_the_reasons_are_said() {
    let shop = simulated(600, 731).await;
    shop.run("2025-12-31").await;
    let best = "select model from model_evaluation order by log_likelihood_holdout desc limit 1";
    let best = shop.query(best).await;
    let used = "select distinct model from customer_ltv";
    assert_eq!(shop.query(used).await, best);
    let selected = "select model from model_evaluation where is_selected";
    assert_eq!(shop.query(selected).await, best);
    let reasons = "select distinct is_selected, regexp_replace(selection_reason, '[0-9.]+', 'N')
        from model_fits where model like '%nbd' order by 1";
    assert_eq!(
        shop.query(reasons).await,
        [
            "false hold-out log-likelihood lower by N",
            "true best log-likelihood of the hold-out"
        ]
    );
    let deciles = "select model, count(*), sum(customers), min(decile), max(decile)
        from model_calibration group by model order by model";
    let customers = shop
        .query("select max(customers) from model_evaluation")
        .await;
    let customers = &customers[0];
    assert_eq!(
        shop.query(deciles).await,
        ["bg_nbd", "mbg_nbd", "pareto_nbd"].map(|model| format!("{model} 10 {customers} 1 10"))
    );
}

#[tokio::test]
async fn without_a_holdout_the_best_fit_is_used_and_that_is_said() {
    let mut shop = simulated(600, 731).await;
    shop.parameter("holdout_days = 1000");
    shop.parameter("models = [\"bg_nbd\", \"mbg_nbd\"]");
    shop.run("2025-12-31").await;
    let fits = "select is_selected, selection_reason, round(max(log_likelihood), 1) as value
        from model_fits where model like '%nbd' group by 1, 2 order by value desc";
    let fits = shop.query(fits).await;
    let nobody = "no hold-out: nobody was acquired up to 2023-04-06";
    assert!(
        fits[0].starts_with(&format!("true best log-likelihood; {nobody}")),
        "{fits:?}"
    );
    assert!(
        fits[1].starts_with("false log-likelihood lower by ") && fits[1].contains(nobody),
        "{fits:?}"
    );
    let empty = "select customers, mae, naive_mae, count(*) from model_evaluation group by 1, 2, 3";
    assert_eq!(shop.query(empty).await, ["0 - - 2"]);
}

#[tokio::test]
async fn values_of_a_model_have_their_uncertainty() {
    let shop = simulated(600, 731).await;
    shop.run("2025-12-31").await;
    // what the functions say of the fit that model_fits publishes
    let rows = "
        with fits as (
            select
                fitted_model(max(model), array_agg(value order by parameter_rank)) as fit
            from (select model, value, array_position(
                    ['r', 'alpha', 'a', 'b', 's', 'beta'], parameter) as parameter_rank
                from model_fits where is_selected and model like '%nbd')
        ),
        spend_fits as (
            select fitted_model('gamma_gamma', array_agg(value order by parameter)) as fit
            from model_fits where model = 'gamma_gamma'
        ),
        compared as (
            select customer_ltv.*,
                btyd_purchase_probability((select fit from fits),
                    repeat_purchases, recency_days, age_days, 365, 0) as nothing,
                btyd_next_purchase_quantile((select fit from fits),
                    repeat_purchases, recency_days, age_days, 0.5) as median,
                btyd_value_quantile((select fit from fits), (select fit from spend_fits),
                    repeat_purchases, recency_days, age_days, coalesce(mean_repeat_value, 0),
                    365, 0.9) as high
            from customer_ltv inner join customer_metrics using (customer_id)
        )
        select
            count(*) filter (where abs(nothing - churn_probability) > 1e-9),
            count(*) filter (where abs(high - expected_revenue_p90) > 1e-6 * high),
            count(*) filter (where not next_purchase_on_p50 - date '2025-12-31' >= median),
            count(*) filter (where not next_purchase_on_p50 - date '2025-12-31' < median + 1),
            count(*) filter (where median is null and next_purchase_on_p50 is not null),
            count(next_purchase_on_p50) > 100
        from compared";
    assert_eq!(shop.query(rows).await, ["0 0 0 0 0 true"]);
}

async fn with_countries() -> Shop {
    let mut shop = simulated(700, 731).await;
    shop.parameter("fit_by = \"country\"");
    shop.parameter("min_fit_customers = 300");
    shop.parameter("models = [\"mbg_nbd\"]");
    shop.given(
        "customers",
        "select value as customer_id, case
            when value <= 400 then 'Norway' when value <= 500 then 'Malta'
                when value <= 600 then '(all)'
            end as country
         from generate_series(1, 700)",
    )
    .await;
    shop
}

#[tokio::test]
async fn groups_that_are_large_enough_have_fits_of_their_own() {
    let shop = with_countries().await;
    shop.run("2025-12-31").await;
    let fits = "select model, fit_group, customers, is_selected from model_fits group by all
        order by model desc, fit_group";
    let fits = shop.query(fits).await;
    assert_eq!(fits[0], "mbg_nbd (all) 700 true");
    assert_eq!(fits[1], "mbg_nbd Norway 400 true");
    assert!(fits[3].starts_with("gamma_gamma Norway"), "{fits:?}");
    assert_eq!(fits.len(), 4);
    let scored = "
        with fits as (
            select fit_group, fitted_model('mbg_nbd', array_agg(value order by array_position(
                ['r', 'alpha', 'a', 'b'], parameter))) as fit
            from model_fits where model = 'mbg_nbd' group by fit_group
        ),
        spend_fits as (
            select
                fit_group,
                fitted_model('gamma_gamma', array_agg(value order by parameter)) as fit
            from model_fits where model = 'gamma_gamma' group by fit_group
        )
        select fits.fit_group, count(*),
            max(abs(p_alive - btyd_p_alive(fits.fit, repeat_purchases, recency_days, age_days)))
                < 1e-12,
            max(abs(expected_spend / gamma_gamma_expected_spend(
                spend_fits.fit, repeat_purchases, coalesce(mean_repeat_value, 0)) - 1)) < 1e-9
        from customer_ltv
        inner join customer_metrics using (customer_id)
        inner join fits
            on fits.fit_group = case when country = 'Norway' then 'Norway' else '(all)' end
        inner join spend_fits on spend_fits.fit_group = fits.fit_group
        group by fits.fit_group order by 1";
    assert_eq!(
        shop.query(scored).await,
        ["(all) 300 true true", "Norway 400 true true"]
    );
}

#[tokio::test]
async fn a_group_whose_fit_fails_uses_that_of_all() {
    let mut shop = with_countries().await;
    shop.parameter("holdout_days = 90");
    // nobody in Norway comes back
    shop.file(
        "staging/stg_orders.sql",
        "select min(order_id) as order_id, customer_id, min(ordered_at) as ordered_at,
            'paid' as status, min(gross_amount) as gross_amount
         from source.orders where customer_id <= 400 group by customer_id
         union all
         select order_id, customer_id, ordered_at, status, gross_amount
         from source.orders where customer_id > 400",
    );
    shop.run("2025-12-31").await;
    let fits = "select fit_group, is_selected, selection_reason from model_fits
        where model = 'mbg_nbd' group by all order by 1";
    assert_eq!(
        shop.query(fits).await,
        [
            "(all) true best log-likelihood of the hold-out",
            "Norway false status insufficient_data: the fit of (all) is used"
        ]
    );
    let unscored = "select count(*), count(p_alive), min(model) from customer_ltv";
    assert_eq!(shop.query(unscored).await, ["700 700 mbg_nbd"]);
}

#[tokio::test]
async fn fit_by_must_name_a_column_of_customer_metrics() {
    let mut shop = simulated(10, 30).await;
    shop.parameter("fit_by = \"continent\"");
    let error = shop
        .try_run("2024-02-01")
        .await
        .expect_err("no such column");
    assert_eq!(error.exit_code(), 2, "{error}");
    let error = error.to_string();
    assert!(
        error.starts_with("parameter 'fit_by' must name a column, but is 'continent'; columns are")
            && error.contains("country"),
        "{error}"
    );
}
