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

-- the small side of a join stands on the left: that side is held in memory
keyed as (

    select
        customers.*,
        coalesce(int_selected_fits.fit_group, '(all)') as fitted_group
    from int_selected_fits
    right join customers
        on int_selected_fits.fit_group = customers.fit_by_value

)

select
    keyed.*,
    int_selected_fits.model,  -- of purchases; NULL when none is usable, as the fits
    int_selected_fits.fit,
    int_selected_fits.spend_fit
from int_selected_fits
inner join keyed
    on int_selected_fits.fit_group = keyed.fitted_group
