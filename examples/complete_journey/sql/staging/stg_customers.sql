-- stg_customers: the households that told about themselves; of others only purchases are known.
-- grain: customer_id
-- inputs: source.demographics
-- params: none
-- source: age, income and size of the household have no column in the contract; a file of your
--     own in sql/marts can read them from source.demographics
select household_id as customer_id
from source.demographics
