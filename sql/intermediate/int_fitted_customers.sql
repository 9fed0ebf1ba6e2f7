-- int_fitted_customers: customer_metrics with the models that each customer's value is made with.
-- grain: customer_id
-- inputs: customer_metrics, int_selected_fits
-- params: $fit_by
-- source: definition in int_selected_fits
with

customers as (

    select
        *,
        nullif(cast($fit_by as varchar), '(all)') as fit_by_value
    from customer_metrics

),

keyed as (

    -- a look into the list of groups, which is short
    select
        *,
        case
            when array_has((select array_agg(fit_group) from int_selected_fits), fit_by_value)
                then fit_by_value
            else '(all)'
        end as fitted_group
    from customers

)

-- the small side of a join stands on the left: that side is held in memory
select
    keyed.*,
    int_selected_fits.model,  -- of purchases; NULL when none is usable, as the fits
    int_selected_fits.fit,
    int_selected_fits.spend_fit
from int_selected_fits
inner join keyed
    on int_selected_fits.fit_group = keyed.fitted_group
