-- CDNOW, step 8: what all customers are worth, and whether the intervals keep their promise.
--
-- Customers spent 70,976 dollars, 60,449 were expected. What is missing is with those who came once
-- or a few times: more of them than expected came back. Not more than one in ten should spend less
-- than p10 or more than p90; less than p10 = 0 is impossible, so that side is empty. A forecast
-- that is too low shows on the other side.
with

customers as (

    select
        purchase_history(purchased_on, dollars, date '1997-09-30') as history,
        coalesce(sum(dollars) filter (where purchased_on > date '1997-09-30'), 0) as spent_later
    from 'examples/cdnow/purchases.csv'
    group by customer_id

),

histories as (

    select
        history['repeat_purchases'] as x,
        history['recency_days'] / 7.0 as t_x,
        history['age_days'] / 7.0 as age,
        history['mean_repeat_value'] as mean_value,
        spent_later
    from customers

),

fits as (

    select
        pareto_nbd_fit(x, t_x, age) as purchases,
        gamma_gamma_fit(x, mean_value) as spending
    from histories

),

values_expected as (

    select
        case
            when x = 0 then 'came once' when x < 4 then 'came back' else 'came often'
        end as customer,
        btyd_expected_purchases(purchases, x, t_x, age, 39)
            * gamma_gamma_expected_spend(spending, x, coalesce(mean_value, 0)) as value,
        btyd_value_quantile(
            purchases, spending, x, t_x, age, coalesce(mean_value, 0), 39, 0.1
        ) as p10,
        btyd_value_quantile(
            purchases, spending, x, t_x, age, coalesce(mean_value, 0), 39, 0.9
        ) as p90,
        spent_later
    from histories
    cross join fits

)

select
    customer,
    count(*) as customers,
    round(sum(value)) as value,
    round(sum(spent_later)) as happened,
    round(avg(case when spent_later < p10 then 1 else 0 end), 3) as below_p10,
    round(avg(case when spent_later > p90 then 1 else 0 end), 3) as above_p90
from values_expected
group by customer
order by customer desc;

-- result:
-- +------------+-----------+---------+----------+-----------+-----------+
-- | customer   | customers | value   | happened | below_p10 | above_p90 |
-- +------------+-----------+---------+----------+-----------+-----------+
-- | came once  | 1411      | 6870.0  | 11705.0  | 0.0       | 0.137     |
-- | came often | 193       | 29511.0 | 29805.0  | 0.01      | 0.13      |
-- | came back  | 753       | 24068.0 | 29467.0  | 0.0       | 0.121     |
-- +------------+-----------+---------+----------+-----------+-----------+
