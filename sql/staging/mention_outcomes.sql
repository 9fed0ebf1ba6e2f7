-- mention_outcomes: every social mention, and what became of it.
-- grain: mention_id, rule, copy_rank
-- inputs: excluded_customers, stg_social_mentions
-- params: $as_of_date, $time_zone
-- source: of several rows with one key the latest up to $as_of_date counts; equal ones are
--     ranked by content, so that the choice does not depend on the order of rows
with

-- the small side of a join stands on the left: that side is held in memory
repeated_ids as (

    select mention_id
    from stg_social_mentions
    where broken_rule is null
    group by mention_id
    having count(*) > 1

),

told_apart as (

    select
        stg_social_mentions.*,
        1 as copy_rank
    from repeated_ids
    right anti join stg_social_mentions
        on repeated_ids.mention_id = stg_social_mentions.mention_id
        and stg_social_mentions.broken_rule is null

    union all by name

    select
        stg_social_mentions.*,
        row_number() over (
            partition by stg_social_mentions.mention_id
            order by
                cast(
                    try_cast(mentioned_at as timestamp with time zone)
                    at time zone $time_zone as date
                ) <= $as_of_date desc,
                mentioned_at desc,
                customer_id,
                sentiment
        ) as copy_rank
    from repeated_ids
    right semi join stg_social_mentions
        on repeated_ids.mention_id = stg_social_mentions.mention_id
    where stg_social_mentions.broken_rule is null

),

dated as (

    select
        *,
        -- NULL for an instant that does not fit into nanoseconds, which is out of range anyway
        cast(
            try_cast(mentioned_at as timestamp with time zone) at time zone $time_zone as date
        ) as mentioned_on
    from told_apart

),

judged as (

    select
        dated.*,
        case
            when excluded_customers.reason = 'erased' then excluded_customers.reason
            when
                dated.mentioned_on > $as_of_date
                and dated.broken_rule is distinct from 'mentioned_at_in_range'
                then 'after_as_of_date'
            when dated.broken_rule is not null then 'quarantined'
            when excluded_customers.reason is not null then excluded_customers.reason
            when dated.copy_rank > 1 then 'older_version'
            else 'valid'
        end as outcome
    from excluded_customers
    right join dated
        on excluded_customers.customer_id = dated.customer_id

)

select
    ---------- ids
    mention_id,
    customer_id,

    ---------- text
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail,

    ---------- numerics
    sentiment,  -- -1 to 1; NULL is unknown
    copy_rank,  -- 1 is the row that counts

    ---------- timestamps
    mentioned_at,

    ---------- dates
    mentioned_on  -- business date

from judged
