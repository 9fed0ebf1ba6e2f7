-- CDNOW, step 1: from a file of orders to histories.
--
-- A walk of eight files. Run one from the top folder of the repository:
--   loyalake sql -f examples/cdnow/walkthrough/1_from_orders_to_histories.sql
--
-- The file has a line for each purchase: customer, day, discs, dollars. All customers came for the
-- first time in the first quarter of 1997; the last purchases are of June 1998.
select
    count(*) as purchases,
    count(distinct customer_id) as customers,
    min(purchased_on) as first_on,
    max(purchased_on) as last_on,
    round(sum(dollars)) as dollars
from 'examples/cdnow/purchases.csv';

-- result:
-- +-----------+-----------+------------+------------+----------+
-- | purchases | customers | first_on   | last_on    | dollars  |
-- +-----------+-----------+------------+------------+----------+
-- | 6919      | 2357      | 1997-01-01 | 1998-06-30 | 244092.0 |
-- +-----------+-----------+------------+------------+----------+

-- Models of purchases want three numbers of each customer: repeat purchases, recency (from the
-- first purchase to the last) and age (from the first purchase to today). purchase_history makes
-- them, counting the purchases of a day as one. Today is 30 September 1997, as in the papers: what
-- comes later is kept to check the forecasts. Time is in weeks; any unit does.
with

customers as (

    select
        customer_id,
        purchase_history(purchased_on, dollars, date '1997-09-30') as history
    from 'examples/cdnow/purchases.csv'
    group by customer_id

)

select
    customer_id,
    history['repeat_purchases'] as repeat_purchases,
    round(history['recency_days'] / 7.0, 2) as recency_weeks,
    round(history['age_days'] / 7.0, 2) as age_weeks,
    round(history['mean_repeat_value'], 2) as mean_repeat_value
from customers
where customer_id <= 6
order by customer_id;

-- result:
-- +-------------+------------------+---------------+-----------+-------------------+
-- | customer_id | repeat_purchases | recency_weeks | age_weeks | mean_repeat_value |
-- +-------------+------------------+---------------+-----------+-------------------+
-- | 1           | 2                | 30.43         | 38.86     | 22.35             |
-- | 2           | 1                | 1.71          | 38.86     | 11.77             |
-- | 3           | 0                | 0.0           | 38.86     |                   |
-- | 4           | 0                | 0.0           | 38.86     |                   |
-- | 5           | 0                | 0.0           | 38.86     |                   |
-- | 6           | 7                | 29.43         | 38.86     | 73.74             |
-- +-------------+------------------+---------------+-----------+-------------------+
