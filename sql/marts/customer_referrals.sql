-- customer_referrals: whom each customer referred, and what that was worth.
-- grain: customer_id
-- inputs: customer_metrics, int_acquisition_costs, int_referral_values, run.supplied
-- params: $would_have_joined
-- source: Kumar, Petersen and Leone (2010), Journal of Marketing 74(5), without discounting: a
--     referee who would not have joined brings value and spares the cost of acquisition (type 1),
--     one who would have joined spares that cost (type 2); the value of a referee is part of that
--     customer's own lifetime value, too: values are not to be summed over both
with

-- customers, and who referred somebody without having bought; the small side of a join stands on
-- the left: that side is held in memory
counted as (

    select
        coalesce(int_referral_values.customer_id, customer_metrics.customer_id) as customer_id,
        int_referral_values.* exclude (customer_id),
        -- what stands for no referrals: nothing when they are not supplied
        case
            when (select referrals from run.supplied) then 0
        end as zero,
        (
            select cast(sum(spend) as double) / nullif(sum(new_customers), 0)
            from int_acquisition_costs
            where spend > 0
        ) as paid_cac
    from int_referral_values
    full join customer_metrics
        on int_referral_values.customer_id = customer_metrics.customer_id

),

totals as (

    select
        *,
        cast(coalesce(referred_value, zero) as double) as brought,
        cast(coalesce(referral_cost, zero) as double) as paid,
        coalesce(referred_customers, zero) * paid_cac as saved
    from counted

),

worth as (

    select
        *,
        (1 - $would_have_joined) * (brought - paid + coalesce(saved, 0)) as type1_value,
        $would_have_joined * saved as type2_value
    from totals

)

select
    ---------- ids
    customer_id,

    ---------- text
    cast(
        case
            when zero is null then 'missing_input'
            when paid_cac is null then 'without_acquisition_cost'
            else 'ok'
        end as varchar
    ) as referral_status,
    cast(value_basis as varchar) as value_basis,  -- profit, revenue, mixed; NULL: nobody bought

    ---------- numerics; all are NULL when referrals are not supplied
    cast(coalesce(invitations, zero) as bigint) as invitations,  -- converted or not
    cast(coalesce(conversions, zero) as bigint) as conversions,  -- referees brought
    cast(coalesce(self_referrals, zero) as bigint) as self_referrals,
    cast(coalesce(cycle_referrals, zero) as bigint) as cycle_referrals,
    cast(coalesce(repeated_referees, zero) as bigint) as repeated_referees,  -- others' before
    cast(coalesce(referred_customers, zero) as bigint) as referred_customers,  -- who have bought
    -- money of referees so far: profit, or revenue where that is not known
    cast(coalesce(referred_value, zero) as decimal(28, 4)) as referred_value,
    cast(coalesce(referral_cost, zero) as decimal(28, 4)) as referral_cost,  -- money
    cast(saved as double) as acquisition_cost_saved,  -- money; NULL: costs are not known
    cast(type1_value as double) as type1_value,  -- money
    cast(type2_value as double) as type2_value,  -- money; NULL: costs are not known
    cast(type1_value + coalesce(type2_value, 0) as double) as referral_value  -- money

from worth
