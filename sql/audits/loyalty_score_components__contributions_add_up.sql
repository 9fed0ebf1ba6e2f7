-- loyalty_score_components__contributions_add_up: contributions add up to the customer's score.
-- table: loyalty_score_components
-- severity: error
-- inputs: loyalty_score_components, loyalty_scores
-- params: $relative_tolerance
with

points as (

    select
        customer_id,
        contribution,
        cast(null as double) as loyalty_score
    from loyalty_score_components

    union all

    select
        customer_id,
        cast(null as double) as contribution,
        loyalty_score
    from loyalty_scores

)

select
    customer_id,
    sum(contribution) as contributions,
    max(loyalty_score) as loyalty_score
from points
group by customer_id
having
    max(loyalty_score) is not null
    and abs(coalesce(sum(contribution), 0) - max(loyalty_score)) > 100 * $relative_tolerance
