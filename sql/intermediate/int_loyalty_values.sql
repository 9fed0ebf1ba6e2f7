-- int_loyalty_values: what the loyalty components of each customer are measured by.
-- grain: customer_id
-- inputs: customer_metrics, int_customer_histories, int_loyalty_contacts
-- params: $as_of_date, $gap_prior_purchases, $min_regularity_months
-- source: purchase_recency is the days since the last purchase over the expected gap between
--     purchases; a customer's own mean gap is drawn towards that of all repeat buyers
with

purchase_days as (

    select
        customer_id,
        array_length(history['purchase_months']) as purchase_months,
        history['last_purchase_on'] - history['previous_purchase_on'] as last_gap
    from int_customer_histories

),

-- the small side of a join stands on the left: that side is held in memory
observed as (

    select
        customer_metrics.*,
        cast(purchase_days.purchase_months as double) as purchase_months,
        purchase_days.last_gap,
        12 * (date_part('year', $as_of_date) - date_part('year', first_purchase_on))
            + date_part('month', $as_of_date) - date_part('month', first_purchase_on)
            + 1 as observed_months,
        (
            select cast(sum(recency_days) as double) / nullif(sum(repeat_purchases), 0)
            from customer_metrics
        ) as mean_gap
    from purchase_days
    right join customer_metrics
        on purchase_days.customer_id = customer_metrics.customer_id

),

expected as (

    select
        *,
        (recency_days + $gap_prior_purchases * mean_gap)
            / nullif(repeat_purchases + $gap_prior_purchases, 0) as expected_gap
    from observed

),

with_contacts as (

    select
        expected.*,
        int_loyalty_contacts.* exclude (customer_id)
    from int_loyalty_contacts
    right join expected
        on int_loyalty_contacts.customer_id = expected.customer_id

)

select
    ---------- ids
    customer_id,

    ---------- numerics
    mean_gap,  -- days between purchases, of all repeat buyers
    last_gap,  -- days between the last two purchases, NULL after one
    purchases_per_year as purchase_frequency,  -- per year
    days_since_last_purchase / nullif(expected_gap, 0) as purchase_recency,  -- expected gaps
    average_order_value,  -- money per order
    cast(age_days as double) as tenure,  -- days
    case
        when observed_months >= $min_regularity_months then purchase_months / observed_months
    end as regularity,  -- share of calendar months with a purchase
    recommendation,  -- 0 to 1
    satisfaction,  -- 0 to 1
    advocacy,  -- referrals and reviews
    social_activity,  -- mentions
    support_friction,  -- complaints per order
    trust,  -- 0 to 1
    preference,  -- 0 to 1
    repurchase  -- 0 to 1

from with_contacts
