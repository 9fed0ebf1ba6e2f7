-- stg_contracts: the source contracts through its contract; override it to map other columns.
-- grain: contract_id
-- inputs: source.contracts
-- params: none
-- source: the contract in sources/contracts.sql
select * from source.contracts
