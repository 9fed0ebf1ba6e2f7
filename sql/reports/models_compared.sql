-- models_compared: Models
-- grain: model, fit_group
-- inputs: model_evaluation, model_fits
-- params: none
-- source: model_fits, model_evaluation
with

fits as (

    select distinct
        model,
        fit_group,
        customers,
        status,
        is_selected,
        selection_reason
    from model_fits

)

select
    fits.model,
    fits.fit_group,
    fits.customers,
    fits.status,
    round(model_evaluation.log_likelihood_holdout, 1) as holdout_log_likelihood,
    round(model_evaluation.mae, 4) as holdout_mae,  -- purchases per customer
    round(model_evaluation.naive_mae, 4) as naive_mae,  -- when the past rate goes on
    fits.is_selected,
    fits.selection_reason
from fits
left join model_evaluation
    on fits.model = model_evaluation.model
    and fits.fit_group = '(all)'
order by fits.is_selected desc, fits.model, fits.fit_group
