-- 5. How loyal is a customer, and why? A score that can be taken apart again.
--
-- Each component is a number from 0 to 1. One that is missing (nobody asked Ben) is left out and
-- the other weights grow; `coverage` tells how much of the intended weight was there.
with

customers as (

    select *
    from (values
        ('ada', 0.90, 0.80, 0.9),
        ('ben', 0.90, 0.80, null),
        ('cleo', 0.20, 0.10, 1.0)
    ) as customers (customer, frequency, recency, recommendation)

),

scores as (

    select
        customer,
        weighted_score([
            named_struct('name', 'frequency', 'value', frequency, 'weight', 0.4),
            named_struct('name', 'recency', 'value', recency, 'weight', 0.3),
            named_struct('name', 'recommendation', 'value', recommendation, 'weight', 0.3)
        ]) as loyalty
    from customers

),

parts as (

    select
        customer,
        loyalty['score'] as score,
        loyalty['coverage'] as coverage,
        unnest(loyalty['contributions']) as part
    from scores

)

-- the points of the parts add up to the score
select
    customer,
    round(score, 2) as score,
    round(coverage, 2) as coverage,
    part['name'] as component,
    round(part['contribution'], 2) as points
from parts
order by customer, component

-- result:
-- +----------+-------+----------+----------------+--------+
-- | customer | score | coverage | component      | points |
-- +----------+-------+----------+----------------+--------+
-- | ada      | 87.0  | 1.0      | frequency      | 36.0   |
-- | ada      | 87.0  | 1.0      | recency        | 24.0   |
-- | ada      | 87.0  | 1.0      | recommendation | 27.0   |
-- | ben      | 85.71 | 0.7      | frequency      | 51.43  |
-- | ben      | 85.71 | 0.7      | recency        | 34.29  |
-- | ben      | 85.71 | 0.7      | recommendation |        |
-- | cleo     | 41.0  | 1.0      | frequency      | 8.0    |
-- | cleo     | 41.0  | 1.0      | recency        | 3.0    |
-- | cleo     | 41.0  | 1.0      | recommendation | 30.0   |
-- +----------+-------+----------+----------------+--------+
