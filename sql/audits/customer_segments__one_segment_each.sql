-- customer_segments__one_segment_each: every customer has exactly one segment in every scheme.
-- table: customer_segments
-- severity: error
-- inputs: customer_metrics, customer_segments
-- params: none
with

schemes as (

    select
        scheme,
        count(*) as members,
        count(segment) as members_with_segment,
        count(segment_rank) as members_with_rank
    from customer_segments
    group by scheme

),

customers as (

    select count(*) as customers
    from customer_metrics

)

select
    schemes.scheme,
    schemes.members,
    schemes.members_with_segment,
    schemes.members_with_rank,
    customers.customers
from schemes
cross join customers
where
    schemes.members != customers.customers
    or schemes.members_with_segment != customers.customers
    or schemes.members_with_rank != customers.customers
