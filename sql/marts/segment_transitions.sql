-- segment_transitions: who moved from which segment to which since an earlier run.
-- grain: scheme, from_segment, to_segment
-- inputs: customer_metrics, int_segment_members, published.customer_ltv,
--     published.customer_segments, published.runs
-- params: $as_of_date, $transition_days
-- source: the latest published date that is at least $transition_days older; without one there are
--     no rows. Who was no customer then comes from 'entered', who is none now goes to 'left'
with

-- NULL when there was none
earlier_run as (

    select max(as_of_date) as from_as_of_date
    from published.runs
    where as_of_date <= $as_of_date - $transition_days

),

earlier_segments as (

    select
        customer_id,
        scheme,
        segment
    from published.customer_segments
    where as_of_date = (select from_as_of_date from earlier_run)

),

earlier_values as (

    select
        customer_id,
        lifetime_value
    from published.customer_ltv
    where as_of_date = (select from_as_of_date from earlier_run)

),

-- the small side of a join stands on the left: that side is held in memory
departed as (

    select earlier_segments.*
    from customer_metrics
    right anti join earlier_segments
        on customer_metrics.customer_id = earlier_segments.customer_id

),

moves as (

    select
        int_segment_members.scheme,
        coalesce(earlier_segments.segment, 'entered') as from_segment,
        int_segment_members.segment as to_segment,
        int_segment_members.lifetime_value
    from earlier_segments
    right join int_segment_members
        on earlier_segments.customer_id = int_segment_members.customer_id
        and earlier_segments.scheme = int_segment_members.scheme

    union all

    select
        departed.scheme,
        departed.segment as from_segment,
        'left' as to_segment,
        earlier_values.lifetime_value
    from departed
    left join earlier_values
        on departed.customer_id = earlier_values.customer_id

),

-- sums of decimals and integers: they do not depend on the order of rows
counted as (

    select
        scheme,
        from_segment,
        to_segment,
        count(*) as customers,
        sum(cast(lifetime_value as decimal(28, 4))) as value_moved
    from moves
    group by scheme, from_segment, to_segment

),

rates as (

    select
        *,
        sum(customers) over (partition by scheme, from_segment) as from_customers,
        count(*) filter (where from_segment != 'entered') over (partition by scheme) > 0
            and count(*) filter (where to_segment != 'left') over (partition by scheme) > 0
            as is_in_both
    from counted

)

select
    ---------- ids
    cast(scheme as varchar) as scheme,
    cast(from_segment as varchar) as from_segment,  -- in the earlier run, or 'entered'
    cast(to_segment as varchar) as to_segment,  -- in this run, or 'left'

    ---------- numerics
    cast(customers as bigint) as customers,
    cast(from_customers as bigint) as from_customers,  -- of all customers of from_segment
    cast(customers as double) / from_customers as probability,  -- those of a from_segment make 1
    -- money: lifetime value in this run, of those who left in the earlier one
    cast(value_moved as decimal(28, 4)) as value_moved,

    ---------- dates
    (select from_as_of_date from earlier_run) as from_as_of_date  -- date of the earlier run

from rates
where is_in_both
