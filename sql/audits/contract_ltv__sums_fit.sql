-- contract_ltv__sums_fit: no customer's contracts bring more per period than decimal(18, 4) holds.
-- table: contract_ltv
-- severity: error
-- inputs: contract_outcomes
-- params: none
select
    customer_id,
    sum(value_per_period) as value_per_period
from contract_outcomes
where
    outcome = 'valid'
    and not is_ended
group by customer_id
having try_cast(sum(value_per_period) as decimal(18, 4)) is null
