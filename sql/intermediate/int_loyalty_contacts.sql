-- int_loyalty_contacts: what the loyalty components that are no purchases are measured by.
-- grain: customer_id
-- inputs: int_customer_feedback, int_customer_histories, int_customer_tickets, int_referrals,
--     run.supplied
-- params: $activity_window_days, $as_of_date
-- source: an answer that nobody gave is missing, what can be counted is 0 once it is supplied
with

conversions as (

    select
        referrer_id,
        count(*) as conversions
    from int_referrals
    where
        referral_outcome = 'converted'
        and converted_on > $as_of_date - $activity_window_days
    group by referrer_id

),

-- the small side of a join stands on the left: that side is held in memory
joined as (

    select
        int_customer_histories.customer_id,
        int_customer_histories.recent_orders,
        int_customer_feedback.* exclude (customer_id),
        coalesce(int_customer_tickets.complaints, 0) as complaints,
        coalesce(conversions.conversions, 0) as conversions
    from conversions
    right join (
        int_customer_tickets
        right join (
            int_customer_feedback
            right join int_customer_histories
                on int_customer_feedback.customer_id = int_customer_histories.customer_id
        )
            on int_customer_tickets.customer_id = int_customer_histories.customer_id
    )
        on conversions.referrer_id = int_customer_histories.customer_id

),

supplied as (

    select
        *,
        (select referrals or reviews from run.supplied) as has_advocacy,
        (select social_mentions from run.supplied) as has_mentions,
        (select support_tickets from run.supplied) as has_tickets
    from joined

)

select
    ---------- ids
    customer_id,

    ---------- numerics
    recommendation,  -- 0 to 1, as the next four
    satisfaction,
    trust,
    preference,
    repurchase,
    case
        when has_advocacy then cast(conversions + coalesce(positive_reviews, 0) as double)
    end as advocacy,  -- referrals that converted and positive reviews
    case when has_mentions then cast(coalesce(mentions, 0) as double) end as social_activity,
    case
        when has_tickets then cast(complaints as double) / greatest(coalesce(recent_orders, 0), 1)
    end as support_friction  -- complaints per order

from supplied
