-- loyalty_value__customers_equal_tiers: all customers whom a tier had at the start, each once.
-- table: loyalty_value
-- severity: error
-- inputs: loyalty_value, published.period_tiers
-- params: none
with

counts as (

    select loyalty_tier, count(*) as members, 0 as customers
    from published.period_tiers
    group by loyalty_tier

    union all

    select loyalty_tier, 0 as members, customers
    from loyalty_value

)

select
    loyalty_tier,
    sum(members) as members,
    sum(customers) as customers
from counts
group by loyalty_tier
having sum(members) != sum(customers)
