-- fx_rates: exchange rates, one row per day and pair of currencies; a rate holds until the next.
-- grain: rate_date, from_currency, to_currency
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table fx_rates (
    rate_date date not null comment 'first day on which the rate holds',
    from_currency varchar not null comment 'currency of the amounts to convert',
    to_currency varchar not null comment 'currency that they are converted into',
    rate double not null check (rate > 0) comment 'units of to_currency per from_currency',
    primary key (rate_date, from_currency, to_currency)
)
