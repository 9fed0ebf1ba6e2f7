-- int_spend_fit: the model of spend per purchase, fitted on the repeat buyers.
-- grain: model
-- inputs: customer_metrics
-- params: none
-- source: Fader, Hardie and Lee (2005), Journal of Marketing Research 42(4); gamma-gamma
select
    'gamma_gamma' as model,
    gamma_gamma_fit(repeat_purchases, mean_repeat_value) as fit  -- NULL without repeat buyers
from customer_metrics
where repeat_purchases > 0
