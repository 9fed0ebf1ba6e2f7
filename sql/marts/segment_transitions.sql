-- segment_transitions: who moved from which segment to which since an earlier run.
-- grain: scheme, from_segment, to_segment
-- inputs: customer_segments, int_customer_values, published.transition_segments,
--     published.transition_values
-- params: none
-- source: the run is described in published/transition_segments; without one there are no rows. Who
--     was no customer then comes from 'entered', who is none now goes to 'left'
with

transition_segments as (

    select
        customer_id,
        scheme,
        segment
    from published.transition_segments

),

transition_values as (

    select customer_id, lifetime_value
    from published.transition_values

),

-- the small side of a join stands on the left: that side is held in memory
members as (

    select
        customer_segments.customer_id,
        customer_segments.scheme,
        customer_segments.segment,
        int_customer_values.lifetime_value
    from int_customer_values
    inner join customer_segments
        on int_customer_values.customer_id = customer_segments.customer_id
    -- nobody has moved without an earlier run
    where (select count(*) from published.transition_segments) > 0

),

moves as (

    select
        coalesce(members.scheme, transition_segments.scheme) as scheme,
        coalesce(transition_segments.segment, 'entered') as from_segment,
        coalesce(members.segment, 'left') as to_segment,
        members.lifetime_value,
        case
            when members.customer_id is null then transition_segments.customer_id
        end as left_customer_id
    from transition_segments
    full join members
        on transition_segments.customer_id = members.customer_id
        and transition_segments.scheme = members.scheme

),

valued as (

    select
        moves.scheme,
        moves.from_segment,
        moves.to_segment,
        coalesce(moves.lifetime_value, transition_values.lifetime_value) as lifetime_value
    from transition_values
    right join moves
        on transition_values.customer_id = moves.left_customer_id

),

-- sums of decimals and integers: they do not depend on the order of rows
counted as (

    select
        scheme,
        from_segment,
        to_segment,
        count(*) as customers,
        sum(cast(lifetime_value as decimal(28, 4))) as value_moved
    from valued
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
    wilson_interval(customers, from_customers, 0.95)['low'] as ci_low,  -- of the probability, 95 %
    wilson_interval(customers, from_customers, 0.95)['high'] as ci_high,
    -- money: lifetime value in this run, of those who left in the earlier one
    cast(value_moved as decimal(28, 4)) as value_moved,

    ---------- dates
    (
        select max(as_of_date) from published.transition_segments
    ) as from_as_of_date  -- date of the earlier run

from rates
where is_in_both
