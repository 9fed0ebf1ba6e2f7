-- contact_outcomes: every answer, review, mention and ticket, and what became of it.
-- grain: source, contact_id, rule, copy_rank
-- inputs: excluded_customers, known_contacts
-- params: $as_of_date, $time_zone
-- source: an answer to nps is a whole number on a scale from 0 to 10; what is off its scale is no
--     answer, and is counted
with

dated as (

    -- NULL for an instant that does not fit into nanoseconds, which is out of range anyway
    select
        *,
        business_date(contacted_at, $time_zone) as contacted_on,
        business_date(resolved_at, $time_zone) as resolved_on,
        scale_to_unit(value, scale_min, scale_max) as unit_value,
        topic = 'nps' and (scale_min != 0 or scale_max != 10 or value != floor(value)) as is_no_nps
    from known_contacts

),

judged as (

    select
        dated.*,
        coalesce(dated.resolved_on <= $as_of_date, false) as is_resolved,
        case
            when excluded_customers.reason = 'erased' then excluded_customers.reason
            when
                dated.contacted_on > $as_of_date and dated.contacted_on <= date '2200-12-31'
                then 'after_as_of_date'
            when dated.broken_rule is not null then 'quarantined'
            when excluded_customers.reason is not null then excluded_customers.reason
            when dated.copy_rank > 1 then 'older_version'
            when dated.source = 'survey_answers' and dated.is_no_nps then 'off_scale'
            when dated.unit_value is null and dated.value is not null then 'off_scale'
            else 'valid'
        end as outcome
    -- the small side of a join stands on the left: that side is held in memory
    from excluded_customers
    right join dated
        on excluded_customers.customer_id = dated.customer_id

)

select
    ---------- ids
    contact_id,  -- the key in the source
    customer_id,  -- NULL when unknown

    ---------- text
    source,
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail,
    topic,  -- question of an answer, kind of a ticket
    aspect,

    ---------- numerics
    value,  -- on its scale; NULL: a ticket, a mention without sentiment
    scale_min,
    scale_max,
    unit_value,  -- 0 to 1, 1 is best
    case
        when is_resolved
            then cast(cast(resolved_at as bigint) - cast(contacted_at as bigint) as double)
                / 3600000000
    end as hours_to_resolution,  -- hours; NULL while unresolved
    copy_rank,  -- 1 is the row that counts

    ---------- timestamps
    contacted_at,

    ---------- dates
    contacted_on,  -- business date

    ---------- booleans
    is_resolved  -- a ticket, as of $as_of_date

from judged
