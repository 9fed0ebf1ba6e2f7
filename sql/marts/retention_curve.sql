-- retention_curve: the share of contracts that is renewed, by cohort and period, seen and fitted.
-- grain: cohort, period
-- inputs: contract_outcomes, int_contract_fit
-- params: none
-- source: survival: Kaplan and Meier (1958), Journal of the American Statistical Association 53;
--     fitted: shifted beta-geometric, reference in int_contract_fit
with

contracts as (

    select
        '(all)' as cohort,
        periods,
        is_ended
    from contract_outcomes
    where outcome = 'valid'

    union all

    select
        to_char(started_on, '%Y-%m') as cohort,
        periods,
        is_ended
    from contract_outcomes
    where outcome = 'valid'

),

curves as (

    select
        cohort,
        unnest(kaplan_meier(periods, is_ended)) as step
    from contracts
    group by cohort

)

select
    ---------- ids
    cast(cohort as varchar) as cohort,  -- month of the first day, or (all)
    cast(step['time'] as int) as period,  -- at whose end contracts are renewed or end

    ---------- numerics
    cast(step['at_risk'] as bigint) as at_risk,  -- contracts seen up to the end of the period
    cast(step['ended'] as bigint) as ended,  -- contracts that ended with the period
    cast(step['survival'] as double) as survival,  -- share renewed so far
    cast(step['ci_low'] as double) as ci_low,  -- 95 %, of survival
    cast(step['ci_high'] as double) as ci_high,  -- 95 %, of survival
    sbg_survival(
        (select fit from int_contract_fit where fit['status'] = 'ok'), cast(step['time'] as int)
    ) as fitted_survival  -- by the model of all cohorts; NULL when its fit did not end ok

from curves
where step['time'] > 0
