-- stg_marketing_costs: the source marketing_costs through its contract; override it to map columns.
-- grain: none
-- inputs: source.marketing_costs
-- params: none
-- source: the contract in sources/marketing_costs.sql
select * from source.marketing_costs
