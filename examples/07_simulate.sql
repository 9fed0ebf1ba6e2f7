-- 7. Would the model find the truth? Invent customers whose parameters are known, and fit them.
--
-- simulate_purchases is a table: try out queries on it, or see how many customers and days a fit
-- needs. The same seed gives the same rows on every machine.
with

truth as (

    select *
    from (values (1, 'r', 0.8), (2, 'alpha', 60.0), (3, 'a', 0.8), (4, 'b', 4.0))
        as truth (position, name, true_value)

),

histories as (

    -- 5,000 customers, 365 days from 2024-01-01 on, seed 1, then r, alpha, a, b
    select
        customer_id,
        purchase_history(cast(ordered_at as date), gross_amount, date '2024-12-30') as history
    from simulate_purchases(5000, 365, 1, 0.8, 60, 0.8, 4)
    group by customer_id

),

fitted as (

    select
        bg_nbd_fit(
            history['repeat_purchases'], history['recency_days'], history['age_days']
        ) as model
    from histories

),

estimates as (

    select unnest(model['parameters']) as parameter
    from fitted

)

-- an honest standard error is one that the truth is seldom more than two of away
select
    truth.name,
    truth.true_value,
    round(parameter['value'], 2) as estimate,
    round(parameter['std_error'], 2) as std_error,
    abs(parameter['value'] - truth.true_value) < 2 * parameter['std_error'] as within_two
from truth
inner join estimates
    on truth.name = parameter['name']
order by truth.position

-- result:
-- +-------+------------+----------+-----------+------------+
-- | name  | true_value | estimate | std_error | within_two |
-- +-------+------------+----------+-----------+------------+
-- | r     | 0.8        | 0.82     | 0.03      | true       |
-- | alpha | 60.0       | 61.4     | 2.87      | true       |
-- | a     | 0.8        | 0.82     | 0.14      | true       |
-- | b     | 4.0        | 3.64     | 0.75      | true       |
-- +-------+------------+----------+-----------+------------+
