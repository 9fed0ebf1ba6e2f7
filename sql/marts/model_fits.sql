-- model_fits: the parameters of every fitted model, and how the fit ended.
-- grain: model, parameter
-- inputs: int_model_fits, int_selected_model, int_spend_fit
-- params: none
-- source: references in int_model_fits and int_spend_fit; a fit without parameters has one row, of
--     parameter '(none)'
with

fits as (

    select
        int_model_fits.model,
        int_model_fits.fit,
        int_selected_model.model is not null as is_selected
    from int_model_fits
    left join int_selected_model
        on int_model_fits.model = int_selected_model.model

    union all

    select
        model,
        fit,
        coalesce(fit['status'] = 'ok', false) as is_selected
    from int_spend_fit

),

parameters as (

    select
        model,
        unnest(fit['parameters']) as parameter
    from fits

)

select
    ---------- ids
    cast(fits.model as varchar) as model,
    cast(coalesce(parameters.parameter['name'], '(none)') as varchar) as parameter,

    ---------- text
    cast('day' as varchar) as time_unit,  -- of the histories that were fitted
    cast(coalesce(fits.fit['status'], 'insufficient_data') as varchar) as status,
    cast(
        case
            when fits.fit['status'] is null then 'there is no history to fit'
            else fits.fit['message']
        end as varchar
    ) as message,  -- NULL when the status is ok

    ---------- numerics
    cast(parameters.parameter['value'] as double) as value,  -- in days, or money
    cast(parameters.parameter['std_error'] as double) as std_error,  -- of value
    cast(fits.fit['log_likelihood'] as double) as log_likelihood,  -- of all customers
    cast(coalesce(fits.fit['customers'], 0) as bigint) as customers,  -- customers fitted

    ---------- booleans
    cast(fits.is_selected as boolean) as is_selected  -- whether customer_ltv uses the model

from fits
left join parameters
    on fits.model = parameters.model
