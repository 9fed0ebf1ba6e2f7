-- segment_transitions__customers_equal_both_runs: all members of each segment, then and now.
-- table: segment_transitions
-- severity: error
-- inputs: published.transition_segments, segment_ltv, segment_transitions
-- params: none
with

counts as (

    select 'earlier' as run, scheme, segment, count(*) as members, 0 as moved
    from published.transition_segments
    group by scheme, segment

    union all

    select 'earlier' as run, scheme, from_segment as segment, 0 as members, customers as moved
    from segment_transitions
    where from_segment != 'entered'

    union all

    select 'this' as run, scheme, segment, customers as members, 0 as moved
    from segment_ltv

    union all

    select 'this' as run, scheme, to_segment as segment, 0 as members, customers as moved
    from segment_transitions
    where to_segment != 'left'

),

summed as (

    select
        run,
        scheme,
        segment,
        sum(members) as members,
        sum(moved) as moved
    from counts
    group by run, scheme, segment

),

-- schemes that only one of the runs had are left out
compared as (

    select
        *,
        sum(members) filter (where run = 'earlier') over (partition by scheme) > 0
            and sum(members) filter (where run = 'this') over (partition by scheme) > 0
            as is_in_both
    from summed

)

select
    run,
    scheme,
    segment,
    members,
    moved
from compared
where
    is_in_both
    and members != moved
