-- int_selected_model: the model of repeat purchases that is used; no row when none is usable.
-- grain: model
-- inputs: int_model_fits
-- params: none
-- source: the greatest log-likelihood among fits with status 'ok', of equal ones the first name
select
    model,
    fit  -- a fitted model, time in days
from int_model_fits
where fit['status'] = 'ok'
order by
    fit['log_likelihood'] desc,
    model asc
limit 1
