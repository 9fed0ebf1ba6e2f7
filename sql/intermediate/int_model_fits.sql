-- int_model_fits: the candidate models of repeat purchases, fitted on the customers' histories.
-- grain: model, fitted_on, fit_group
-- inputs: int_fit_groups, int_fit_histories
-- params: $models
-- kept: yes
-- source: bg_nbd: Fader, Hardie and Lee (2005), Marketing Science 24(2); mbg_nbd: Batislam,
--     Denizel and Filiztekin (2007), International Journal of Research in Marketing 24(3);
--     pareto_nbd: Schmittlein, Morrison and Colombo (1987), Management Science 33(1)
with

histories as (

    select
        fitted_on,
        '(all)' as fit_group,
        repeat_purchases,
        recency_days,
        age_days,
        customers
    from int_fit_histories

    union all

    select
        int_fit_histories.fitted_on,
        int_fit_histories.fit_group,
        int_fit_histories.repeat_purchases,
        int_fit_histories.recency_days,
        int_fit_histories.age_days,
        int_fit_histories.customers
    from int_fit_groups
    inner join int_fit_histories
        on int_fit_groups.fitted_on = int_fit_histories.fitted_on
        and int_fit_groups.fit_group = int_fit_histories.fit_group

    union all

    -- a row that fits skip, so that a fit on all stands there when nobody has a history
    select
        fitted_on,
        '(all)' as fit_group,
        cast(null as bigint) as repeat_purchases,
        cast(null as bigint) as recency_days,
        cast(null as bigint) as age_days,
        cast(null as bigint) as customers
    from (values ('all'), ('calibration')) as empty_histories (fitted_on)

),

fits as (

    select
        'bg_nbd' as model,
        fitted_on,
        fit_group,
        bg_nbd_fit(repeat_purchases, recency_days, age_days, customers) as fit
    from histories
    where array_has($models, 'bg_nbd')
    group by fitted_on, fit_group

    union all

    select
        'mbg_nbd' as model,
        fitted_on,
        fit_group,
        mbg_nbd_fit(repeat_purchases, recency_days, age_days, customers) as fit
    from histories
    where array_has($models, 'mbg_nbd')
    group by fitted_on, fit_group

    union all

    select
        'pareto_nbd' as model,
        fitted_on,
        fit_group,
        pareto_nbd_fit(repeat_purchases, recency_days, age_days, customers) as fit
    from histories
    where array_has($models, 'pareto_nbd')
    group by fitted_on, fit_group

)

select
    model,
    fitted_on,  -- all histories, or calibration: those up to the hold-out
    fit_group,  -- a value of $fit_by, or (all)
    fit  -- a fitted model, time in days; NULL without customers
from fits
