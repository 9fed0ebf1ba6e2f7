-- int_spend_fits: the model of spend per purchase, fitted on the repeat buyers.
-- grain: model, fit_group
-- inputs: customer_metrics, int_fit_groups
-- params: $fit_by
-- kept: yes
-- source: Fader, Hardie and Lee (2005), Journal of Marketing Research 42(4); gamma-gamma
with

repeat_buyers as (

    select
        nullif(cast($fit_by as varchar), '(all)') as fit_group,
        repeat_purchases,
        mean_repeat_value
    from customer_metrics
    where repeat_purchases > 0

)

select
    'gamma_gamma' as model,
    '(all)' as fit_group,
    gamma_gamma_fit(repeat_purchases, mean_repeat_value) as fit  -- NULL without repeat buyers
from repeat_buyers

union all

select
    'gamma_gamma' as model,
    repeat_buyers.fit_group,
    gamma_gamma_fit(repeat_buyers.repeat_purchases, repeat_buyers.mean_repeat_value) as fit
from int_fit_groups
inner join repeat_buyers
    on int_fit_groups.fit_group = repeat_buyers.fit_group
where int_fit_groups.fitted_on = 'all'
group by repeat_buyers.fit_group
