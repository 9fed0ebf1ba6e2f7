-- review_outcomes: every review, and what became of it.
-- grain: review_id, rule, copy_rank
-- inputs: excluded_customers, stg_reviews
-- params: $as_of_date, $time_zone
-- source: of several rows with one key the latest up to $as_of_date counts; equal ones are
--     ranked by content, so that the choice does not depend on the order of rows
with

-- the small side of a join stands on the left: that side is held in memory
repeated_ids as (

    select review_id
    from stg_reviews
    where broken_rule is null
    group by review_id
    having count(*) > 1

),

told_apart as (

    select
        stg_reviews.*,
        1 as copy_rank
    from repeated_ids
    right anti join stg_reviews
        on repeated_ids.review_id = stg_reviews.review_id
        and stg_reviews.broken_rule is null

    union all by name

    select
        stg_reviews.*,
        row_number() over (
            partition by stg_reviews.review_id
            order by
                cast(
                    try_cast(reviewed_at as timestamp with time zone)
                    at time zone $time_zone as date
                ) <= $as_of_date desc,
                reviewed_at desc,
                customer_id,
                product_id,
                rating,
                scale_min,
                scale_max,
                text
        ) as copy_rank
    from repeated_ids
    right semi join stg_reviews
        on repeated_ids.review_id = stg_reviews.review_id
    where stg_reviews.broken_rule is null

),

dated as (

    select
        *,
        -- NULL for an instant that does not fit into nanoseconds, which is out of range anyway
        cast(
            try_cast(reviewed_at as timestamp with time zone) at time zone $time_zone as date
        ) as reviewed_on,
        scale_to_unit(rating, scale_min, scale_max) as unit_value
    from told_apart

),

judged as (

    select
        dated.*,
        case
            when excluded_customers.reason = 'erased' then excluded_customers.reason
            when
                dated.reviewed_on > $as_of_date
                and dated.broken_rule is distinct from 'reviewed_at_in_range'
                then 'after_as_of_date'
            when dated.broken_rule is not null then 'quarantined'
            when excluded_customers.reason is not null then excluded_customers.reason
            when dated.copy_rank > 1 then 'older_version'
            when dated.unit_value is null then 'off_scale'
            else 'valid'
        end as outcome
    from excluded_customers
    right join dated
        on excluded_customers.customer_id = dated.customer_id

)

select
    ---------- ids
    review_id,
    customer_id,

    ---------- text
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail,

    ---------- numerics
    rating,
    scale_min,
    scale_max,
    unit_value,  -- 0 to 1, 1 is best
    copy_rank,  -- 1 is the row that counts

    ---------- timestamps
    reviewed_at,

    ---------- dates
    reviewed_on  -- business date

from judged
