-- largest_segments: Ten largest segments
-- grain: scheme, segment
-- inputs: segment_ltv
-- params: none
-- source: segment_ltv
select
    scheme,
    segment,
    customers,
    round(100 * customer_share, 1) as customer_percent,
    round(100 * value_share, 1) as value_percent,  -- of all lifetime value
    round(mean_ltv, 2) as mean_ltv,
    round(lifespan_years, 2) as lifespan_years,
    round(purchases_per_year, 2) as purchases_per_year,
    round(ltv_simple, 2) as ltv_simple  -- lifespan × profit per purchase × purchases per year
from segment_ltv
order by customers desc, scheme, segment
limit 10
