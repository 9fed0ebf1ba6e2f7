-- model_fits: the parameters of every fitted model, how the fit ended, and which model is used.
-- grain: model, fit_group, parameter
-- inputs: int_contract_fit, int_model_choice, int_model_fits, int_spend_fits
-- params: none
-- source: references in int_model_fits, int_spend_fits and int_contract_fit; a fit without
--     parameters has one row, of parameter '(none)'
with

fits as (

    select
        int_model_fits.model,
        int_model_fits.fit_group,
        int_model_fits.fit,
        int_model_choice.is_selected,
        int_model_choice.selection_reason
    from int_model_choice
    inner join int_model_fits
        on int_model_choice.model = int_model_fits.model
    where int_model_fits.fitted_on = 'all'

    union all

    select
        model,
        fit_group,
        fit,
        true as is_selected,
        'the only model of spend' as selection_reason
    from int_spend_fits

    union all

    select
        model,
        '(all)' as fit_group,
        fit,
        true as is_selected,
        'the only model of contracts' as selection_reason
    from int_contract_fit

),

judged as (

    select
        model,
        fit_group,
        fit,
        coalesce(fit['status'], 'insufficient_data') as status,
        is_selected and coalesce(fit['status'] = 'ok', false) as is_selected,
        case
            when not is_selected or fit['status'] = 'ok' then selection_reason
            else concat(
                'status ', coalesce(fit['status'], 'insufficient_data'),
                case when fit_group != '(all)' then ': the fit of (all) is used' else '' end
            )
        end as selection_reason
    from fits

),

parameters as (

    select
        model,
        fit_group,
        unnest(fit['parameters']) as parameter
    from fits

)

select
    ---------- ids
    cast(judged.model as varchar) as model,
    cast(judged.fit_group as varchar) as fit_group,  -- customers: a value of $fit_by, or (all)
    cast(coalesce(parameters.parameter['name'], '(none)') as varchar) as parameter,

    ---------- text
    cast(
        case when judged.model = 'sbg' then 'contract period' else 'day' end as varchar
    ) as time_unit,  -- of what was fitted
    cast(judged.status as varchar) as status,
    cast(
        case
            when judged.fit['status'] is null then 'there is no history to fit'
            else judged.fit['message']
        end as varchar
    ) as message,  -- NULL when the status is ok
    cast(judged.selection_reason as varchar) as selection_reason,  -- why is_selected or why not

    ---------- numerics
    cast(parameters.parameter['value'] as double) as value,  -- in time_unit, or money
    cast(parameters.parameter['std_error'] as double) as std_error,  -- of value
    cast(judged.fit['log_likelihood'] as double) as log_likelihood,  -- of all customers
    cast(coalesce(judged.fit['customers'], 0) as bigint) as customers,  -- customers fitted

    ---------- booleans
    cast(judged.is_selected as boolean) as is_selected  -- whether values are made with it

from judged
left join parameters
    on judged.model = parameters.model
    and judged.fit_group = parameters.fit_group
