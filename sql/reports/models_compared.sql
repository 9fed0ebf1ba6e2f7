-- models_compared: Models
-- grain: model
-- inputs: model_fits
-- params: none
-- source: model_fits
select
    model,
    customers,
    round(log_likelihood, 2) as log_likelihood,
    round(log_likelihood / customers, 5) as log_likelihood_per_customer,
    status,
    is_selected,
    message
from model_fits
group by model, customers, log_likelihood, status, is_selected, message
order by is_selected desc, model
