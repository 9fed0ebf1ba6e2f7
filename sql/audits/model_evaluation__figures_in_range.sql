-- model_evaluation__figures_in_range: errors are possible, and deciles hold all customers.
-- table: model_evaluation
-- severity: error
-- inputs: model_calibration, model_evaluation
-- params: $relative_tolerance
with

deciles as (

    select
        model,
        sum(customers) as customers
    from model_calibration
    group by model

)

select
    model_evaluation.*,
    deciles.customers as calibration_customers
from model_evaluation
left join deciles
    on model_evaluation.model = deciles.model
where
    not (model_evaluation.log_likelihood_holdout <= 0)
    or not (model_evaluation.mae <= model_evaluation.rmse * (1 + $relative_tolerance))
    or not (abs(model_evaluation.bias) <= model_evaluation.mae * (1 + $relative_tolerance))
    or not (model_evaluation.spearman between -1 and 1)
    or not (model_evaluation.gini_normalized <= 1 + $relative_tolerance)
    or deciles.customers != model_evaluation.customers
