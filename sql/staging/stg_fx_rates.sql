-- stg_fx_rates: the source fx_rates through its contract; override it to map other columns.
-- grain: rate_date, from_currency, to_currency
-- inputs: source.fx_rates
-- params: none
-- source: the contract in sources/fx_rates.sql
select * from source.fx_rates
