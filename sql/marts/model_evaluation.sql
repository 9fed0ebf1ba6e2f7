-- model_evaluation: how well each candidate model of purchases predicted the days held out.
-- grain: model
-- inputs: int_model_choice, int_model_scores
-- params: $as_of_date, $holdout_days
-- source: fits on the histories up to calibration_end, scored by the purchases after it; all is
--     NULL when nobody was acquired up to calibration_end
select
    ---------- ids
    cast(int_model_choice.model as varchar) as model,

    ---------- numerics
    cast($holdout_days as bigint) as holdout_days,  -- days, calibration_end to as_of_date
    cast(coalesce(int_model_scores.customers, 0) as bigint) as customers,  -- acquired before
    -- of exactly the purchases that happened; NULL when a model holds one of them impossible
    cast(int_model_scores.log_likelihood_holdout as double) as log_likelihood_holdout,
    cast(int_model_scores.mae as double) as mae,  -- mean absolute error, purchases per customer
    cast(int_model_scores.rmse as double) as rmse,  -- root mean squared error, purchases
    cast(int_model_scores.bias as double) as bias,  -- mean of predicted less actual purchases
    cast(int_model_scores.spearman as double) as spearman,  -- rank correlation, −1 to 1
    cast(int_model_scores.gini_normalized as double) as gini_normalized,  -- up to 1
    cast(int_model_scores.actual_purchases as bigint) as actual_purchases,  -- of all customers
    cast(int_model_scores.predicted_purchases as double) as predicted_purchases,
    cast(int_model_scores.naive_mae as double) as naive_mae,  -- when the past rate goes on

    ---------- booleans
    cast(int_model_choice.is_selected as boolean) as is_selected,  -- customer_ltv uses the model

    ---------- dates
    cast($as_of_date - $holdout_days as date) as calibration_end  -- last day before the hold-out

from int_model_choice
left join int_model_scores
    on int_model_choice.model = int_model_scores.model
