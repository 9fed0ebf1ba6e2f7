-- int_model_fits: the candidate models of repeat purchases, fitted on the customers' histories.
-- grain: model
-- inputs: customer_metrics
-- params: $models
-- source: bg_nbd: Fader, Hardie and Lee (2005), Marketing Science 24(2); mbg_nbd: Batislam,
--     Denizel and Filiztekin (2007), International Journal of Research in Marketing 24(3)
with

candidates as (

    select unnest($models) as model

),

fits as (

    select
        'bg_nbd' as model,
        bg_nbd_fit(repeat_purchases, recency_days, age_days) as fit
    from customer_metrics
    where array_has($models, 'bg_nbd')

    union all

    select
        'mbg_nbd' as model,
        mbg_nbd_fit(repeat_purchases, recency_days, age_days) as fit
    from customer_metrics
    where array_has($models, 'mbg_nbd')

)

select
    fits.model,
    fits.fit  -- a fitted model, time in days; NULL without customers
from candidates
inner join fits
    on candidates.model = fits.model
