-- contract_ltv__values_in_range: running contracts have a future, ended ones have none.
-- table: contract_ltv
-- severity: error
-- inputs: contract_ltv
-- params: none
select
    customer_id,
    contracts,
    running_contracts,
    residual_lifetime_periods,
    residual_value,
    contract_status
from contract_ltv
where
    not (running_contracts between 0 and contracts)
    or not (residual_lifetime_periods >= 0)
    or not (residual_value >= 0 and residual_value < cast('Infinity' as double))
    or (contract_status = 'no_model') != (residual_value is null)
