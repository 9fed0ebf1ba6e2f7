-- int_referrals: every valid referral, and whether it counts as a conversion.
-- grain: referral_id
-- inputs: int_referral_cycles, referral_outcomes
-- params: none
-- source: nobody is referred by oneself, by those whom one referred, or twice: of several
--     conversions of a referee the earliest counts
with

-- the small side of a join stands on the left: that side is held in memory
referrals as (

    select
        referral_outcomes.*,
        int_referral_cycles.referral_id is not null as is_on_cycle
    from int_referral_cycles
    right join referral_outcomes
        on int_referral_cycles.referral_id = referral_outcomes.referral_id
    where referral_outcomes.outcome = 'valid'

),

first_conversions as (

    select first_value(referral_id order by converted_on, invited_on, referral_id) as referral_id
    from referrals
    where
        is_converted
        and not is_on_cycle
        and referrer_id != referee_id
    group by referee_id

)

select
    ---------- ids
    referrals.referral_id,
    referrals.referrer_id,
    referrals.referee_id,  -- NULL: not known

    ---------- text
    case
        when referrals.referrer_id = referrals.referee_id then 'self_referral'
        when referrals.is_on_cycle then 'cycle'
        when not referrals.is_converted then 'invited'
        when first_conversions.referral_id is null then 'repeated_referee'
        else 'converted'
    end as referral_outcome,

    ---------- numerics
    referrals.cost,  -- money

    ---------- dates
    referrals.invited_on,
    referrals.converted_on  -- NULL: not converted

from first_conversions
right join referrals
    on first_conversions.referral_id = referrals.referral_id
