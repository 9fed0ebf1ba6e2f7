-- model_calibration: predicted and actual purchases in the hold-out, by decile of the predicted.
-- grain: model, decile
-- inputs: int_holdout_predictions
-- params: none
-- source: equal predictions are in one decile; a model whose means agree in each is well calibrated
with

cuts as (

    select
        model,
        quantile_cuts(predicted, 10, customers) as cuts
    from int_holdout_predictions
    group by model

),

-- sums of decimals and integers: they do not depend on the order of rows
deciles as (

    select
        int_holdout_predictions.model,
        11 - score_bin(int_holdout_predictions.predicted, cuts.cuts) as decile,
        sum(int_holdout_predictions.customers) as customers,
        sum(
            cast(int_holdout_predictions.predicted as decimal(24, 12))
            * int_holdout_predictions.customers
        ) as predicted,
        sum(int_holdout_predictions.actual * int_holdout_predictions.customers) as actual
    from cuts
    inner join int_holdout_predictions
        on cuts.model = int_holdout_predictions.model
    where int_holdout_predictions.predicted is not null
    group by
        int_holdout_predictions.model,
        11 - score_bin(int_holdout_predictions.predicted, cuts.cuts)

)

select
    ---------- ids
    cast(model as varchar) as model,
    cast(decile as int) as decile,  -- 1 is the highest prediction

    ---------- numerics
    cast(customers as bigint) as customers,
    cast(predicted as double) / customers as predicted_mean,  -- purchases per customer
    cast(actual as double) / customers as actual_mean  -- purchases per customer

from deciles
