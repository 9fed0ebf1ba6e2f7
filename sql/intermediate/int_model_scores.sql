-- int_model_scores: how well each candidate model predicted the hold-out.
-- grain: model
-- inputs: int_holdout_predictions
-- params: none
-- source: gini_normalized: Wang, Liu and Miao (2019), arXiv:1912.07753
with

errors as (

    -- sums of decimals: they do not depend on the order of rows
    select
        model,
        customers,
        actual,
        predicted,
        case when probability > 0 then cast(ln(probability) as decimal(24, 12)) end
            as log_likelihood,
        cast(predicted as decimal(24, 12)) as predicted_purchases,
        cast(abs(predicted - actual) as decimal(24, 12)) as absolute_error,
        cast(power(predicted - actual, 2) as decimal(24, 12)) as squared_error,
        cast(abs(naive - actual) as decimal(24, 12)) as naive_error
    from int_holdout_predictions

),

sums as (

    select
        model,
        sum(customers) as customers,
        sum(case when log_likelihood is null then 0 else customers end) as explained_customers,
        cast(sum(log_likelihood * customers) as double) as log_likelihood,
        sum(actual * customers) as actual_purchases,
        cast(sum(predicted_purchases * customers) as double) as predicted_purchases,
        cast(sum(absolute_error * customers) as double) as absolute_error,
        cast(sum(squared_error * customers) as double) as squared_error,
        cast(sum(naive_error * customers) as double) as naive_error,
        spearman(predicted, actual, customers) as spearman,
        gini_normalized(predicted, actual, customers) as gini_normalized
    from errors
    group by model

)

select
    ---------- text
    model,

    ---------- numerics
    customers,  -- acquired up to the hold-out
    customers - explained_customers as unexplained_customers,  -- their purchases were impossible
    case when explained_customers = customers then log_likelihood end as log_likelihood_holdout,
    absolute_error / customers as mae,  -- purchases, as all errors
    sqrt(squared_error / customers) as rmse,
    (predicted_purchases - actual_purchases) / customers as bias,
    spearman,  -- rank correlation
    gini_normalized,  -- up to 1
    actual_purchases,
    predicted_purchases,
    naive_error / customers as naive_mae

from sums
