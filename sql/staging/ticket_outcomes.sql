-- ticket_outcomes: every support ticket, and what became of it.
-- grain: ticket_id, rule, copy_rank
-- inputs: excluded_customers, stg_support_tickets
-- params: $as_of_date, $time_zone
-- source: of several rows with one key the latest up to $as_of_date counts; equal ones are
--     ranked by content, so that the choice does not depend on the order of rows
with

-- the small side of a join stands on the left: that side is held in memory
repeated_ids as (

    select ticket_id
    from stg_support_tickets
    where broken_rule is null
    group by ticket_id
    having count(*) > 1

),

told_apart as (

    select
        stg_support_tickets.*,
        1 as copy_rank
    from repeated_ids
    right anti join stg_support_tickets
        on repeated_ids.ticket_id = stg_support_tickets.ticket_id
        and stg_support_tickets.broken_rule is null

    union all by name

    select
        stg_support_tickets.*,
        row_number() over (
            partition by stg_support_tickets.ticket_id
            order by
                cast(
                    try_cast(opened_at as timestamp with time zone)
                    at time zone $time_zone as date
                ) <= $as_of_date desc,
                opened_at desc,
                resolved_at asc nulls last,
                customer_id,
                first_response_at,
                kind,
                aspect
        ) as copy_rank
    from repeated_ids
    right semi join stg_support_tickets
        on repeated_ids.ticket_id = stg_support_tickets.ticket_id
    where stg_support_tickets.broken_rule is null

),

dated as (

    select
        *,
        -- NULL for an instant that does not fit into nanoseconds, which is out of range anyway
        cast(
            try_cast(opened_at as timestamp with time zone) at time zone $time_zone as date
        ) as opened_on,
        coalesce(
            cast(
                try_cast(resolved_at as timestamp with time zone) at time zone $time_zone as date
            ) <= $as_of_date,
            false
        ) as is_resolved
    from told_apart

),

judged as (

    select
        dated.*,
        case
            when excluded_customers.reason = 'erased' then excluded_customers.reason
            when
                dated.opened_on > $as_of_date
                and dated.broken_rule is distinct from 'opened_at_in_range'
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
    ticket_id,
    customer_id,

    ---------- text
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail,
    kind,

    ---------- numerics
    case
        when is_resolved
            then cast(
                cast(resolved_at as bigint) - cast(opened_at as bigint) as double
            ) / 3600000000
    end as hours_to_resolution,  -- hours; NULL while unresolved
    copy_rank,  -- 1 is the row that counts

    ---------- dates
    opened_on,  -- business date

    ---------- booleans
    is_resolved  -- as of $as_of_date

from judged
