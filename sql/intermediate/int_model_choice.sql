-- int_model_choice: which candidate model is used, and why.
-- grain: model
-- inputs: int_model_fits, int_model_scores
-- params: $as_of_date, $holdout_days
-- source: the greatest log-likelihood of the hold-out among models whose fits ended ok on all
--     histories and on those up to the hold-out; where there is none, the greatest log-likelihood
--     of the fits that ended ok on all; of equal ones the first name
with

fits_of_all as (

    select
        model,
        fit['log_likelihood'] as log_likelihood,
        coalesce(fit['status'], 'insufficient_data') as status
    from int_model_fits
    where
        fitted_on = 'all'
        and fit_group = '(all)'

),

calibration_fits as (

    select
        model,
        coalesce(fit['status'], 'insufficient_data') as status
    from int_model_fits
    where
        fitted_on = 'calibration'
        and fit_group = '(all)'

),

judged as (

    select
        fits_of_all.model,
        fits_of_all.log_likelihood,
        int_model_scores.log_likelihood_holdout,
        case when fits_of_all.status != 'ok' then concat('status ', fits_of_all.status) end
            as fit_fault,
        case
            when int_model_scores.customers is null then concat(
                'nobody was acquired up to ', cast($as_of_date - $holdout_days as varchar)
            )
            when calibration_fits.status != 'ok'
                then concat('status ', calibration_fits.status, ' of the fit before the hold-out')
            when int_model_scores.log_likelihood_holdout is null then concat(
                'hold-out purchases of ',
                cast(int_model_scores.unexplained_customers as varchar),
                ' customers have no probability'
            )
        end as holdout_fault
    from fits_of_all
    left join calibration_fits
        on fits_of_all.model = calibration_fits.model
    left join int_model_scores
        on fits_of_all.model = int_model_scores.model

),

ranked as (

    select
        *,
        fit_fault is null and holdout_fault is null as is_tested,
        row_number() over (
            order by
                fit_fault is null desc,
                holdout_fault is null desc,
                case when holdout_fault is null then log_likelihood_holdout end desc,
                log_likelihood desc,
                model
        ) as place
    from judged

),

compared as (

    select
        *,
        max(log_likelihood_holdout) filter (where is_tested) over () as best_holdout,
        max(log_likelihood) filter (where fit_fault is null) over () as best_fit
    from ranked

)

select
    ---------- text
    model,
    case
        when fit_fault is not null then fit_fault
        when is_tested and place = 1 then 'best log-likelihood of the hold-out'
        when is_tested then concat(
            'hold-out log-likelihood lower by ',
            cast(round(best_holdout - log_likelihood_holdout, 1) as varchar)
        )
        when best_holdout is not null then holdout_fault
        when place = 1 then concat('best log-likelihood; no hold-out: ', holdout_fault)
        else concat(
            'log-likelihood lower by ',
            cast(round(best_fit - log_likelihood, 1) as varchar),
            '; no hold-out: ',
            holdout_fault
        )
    end as selection_reason,

    ---------- booleans
    fit_fault is null and place = 1 as is_selected

from compared
