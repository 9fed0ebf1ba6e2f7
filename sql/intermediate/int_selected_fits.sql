-- int_selected_fits: the models of purchases and spend that each group of customers uses.
-- grain: fit_group
-- inputs: int_fit_groups, int_model_choice, int_model_fits, int_spend_fits
-- params: none
-- source: a group without a fit of its own that is ok uses that of all
with

fits as (

    select
        int_model_fits.model,
        int_model_fits.fit_group,
        int_model_fits.fit
    from int_model_choice
    inner join int_model_fits
        on int_model_choice.model = int_model_fits.model
    where
        int_model_choice.is_selected
        and int_model_fits.fitted_on = 'all'
        and int_model_fits.fit['status'] = 'ok'

),

spend_fits as (

    select
        fit_group,
        fit
    from int_spend_fits
    where fit['status'] = 'ok'

),

fit_groups as (

    select '(all)' as fit_group

    union all

    select fit_group from int_fit_groups where fitted_on = 'all'

)

select
    ---------- text
    fit_groups.fit_group,  -- a value of $fit_by, or (all): all others
    (select max(model) from int_model_choice where is_selected) as model,  -- NULL: none is usable

    ---------- structs
    coalesce(
        fits.fit, (select fit from fits where fit_group = '(all)')
    ) as fit,  -- of purchases, time in days; NULL: none is usable
    coalesce(
        spend_fits.fit, (select fit from spend_fits where fit_group = '(all)')
    ) as spend_fit  -- of spend per purchase; NULL: none is usable

from fit_groups
left join fits
    on fits.fit_group = fit_groups.fit_group
left join spend_fits
    on spend_fits.fit_group = fit_groups.fit_group
