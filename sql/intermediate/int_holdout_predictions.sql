-- int_holdout_predictions: what each candidate model expected of customers in the hold-out.
-- grain: model, fit_group, repeat_purchases, recency_days, age_days, actual
-- inputs: int_holdout_histories, int_model_fits
-- params: $holdout_days, $min_exposure_days
-- kept: yes
-- source: fits up to the hold-out; a group without a fit of its own that is ok uses that of all
with

fits as (

    select
        model,
        fit_group,
        fit
    from int_model_fits
    where
        fitted_on = 'calibration'
        and (fit_group = '(all)' or fit['status'] = 'ok')

),

-- in batches of one model each, so that its fit is prepared once
candidates as (

    select
        candidates.model,
        int_holdout_histories.*
    from (select model from fits where fit_group = '(all)') as candidates
    cross join int_holdout_histories

),

-- the small side of a join stands on the left: that side is held in memory
keyed as (

    select
        candidates.*,
        coalesce(fits.fit_group, '(all)') as fitted_group
    from fits
    right join candidates
        on fits.model = candidates.model
        and fits.fit_group = candidates.fit_group

)

select
    ---------- text
    keyed.model,
    keyed.fit_group,  -- the value of $fit_by, NULL without one

    ---------- numerics
    keyed.repeat_purchases,  -- days after the first
    keyed.recency_days,  -- days, first to last purchase
    keyed.age_days,  -- days, up to the hold-out
    keyed.customers,  -- who have this history
    keyed.holdout_purchases as actual,  -- purchases of each that happened
    -- expected purchases; NULL without a fit; rounded, for equal histories are ties of rankings
    round(
        btyd_expected_purchases(
            fits.fit, keyed.repeat_purchases, keyed.recency_days, keyed.age_days, $holdout_days
        ),
        9
    ) as predicted,
    btyd_purchase_probability(
        fits.fit, keyed.repeat_purchases, keyed.recency_days, keyed.age_days, $holdout_days,
        keyed.holdout_purchases
    ) as probability,  -- of exactly the purchases that happened
    keyed.repeat_purchases * cast($holdout_days as double)
        / greatest(keyed.age_days, $min_exposure_days) as naive  -- the past rate goes on

from fits
inner join keyed
    on fits.model = keyed.model
    and fits.fit_group = keyed.fitted_group
