-- int_acquisition_costs: what acquiring a customer cost, by month and channel.
-- grain: acquisition_month, channel
-- inputs: customer_metrics, marketing_cost_outcomes, run.supplied
-- params: none
-- source: a customer is acquired by the first purchase, through acquisition_channel; without one
--     the channel is 'unknown'
with

spend_by_channel as (

    select
        cast(date_trunc('month', cost_on) as date) as acquisition_month,
        channel,
        sum(amount) as spend
    from marketing_cost_outcomes
    where
        outcome = 'valid'
        and purpose = 'acquisition'
    group by cast(date_trunc('month', cost_on) as date), channel

),

customers_by_channel as (

    select
        cast(date_trunc('month', first_purchase_on) as date) as acquisition_month,
        coalesce(acquisition_channel, 'unknown') as channel,
        count(*) as new_customers
    from customer_metrics
    group by
        cast(date_trunc('month', first_purchase_on) as date),
        coalesce(acquisition_channel, 'unknown')

),

combined as (

    select
        coalesce(
            spend_by_channel.acquisition_month, customers_by_channel.acquisition_month
        ) as acquisition_month,
        coalesce(spend_by_channel.channel, customers_by_channel.channel) as channel,
        case
            when (select marketing_costs from run.supplied)
                then coalesce(spend_by_channel.spend, 0)
        end as spend,
        coalesce(customers_by_channel.new_customers, 0) as new_customers
    from spend_by_channel
    full join customers_by_channel
        on spend_by_channel.acquisition_month = customers_by_channel.acquisition_month
        and spend_by_channel.channel = customers_by_channel.channel

),

judged as (

    -- what was taken back in full was not spent
    select
        *,
        case
            when spend is null then 'missing_input'
            when spend <= 0 then 'no_spend'
            when new_customers = 0 then 'no_new_customers'
            else 'ok'
        end as cac_status,
        cast(spend as double) / nullif(new_customers, 0) as cost_per_customer
    from combined

)

select
    ---------- text
    channel,
    cac_status,  -- ok, no_spend, no_new_customers, missing_input
    case
        when cac_status = 'missing_input' then cac_status
        when channel = 'unknown' then 'unknown_channel'
        else 'ok'
    end as acquisition_cost_status,

    ---------- numerics
    spend,  -- money spent on acquisition; NULL: costs are not supplied
    new_customers,
    case when cac_status = 'ok' then cost_per_customer end as paid_cac,  -- money per new customer
    -- money that each customer cost; 0: nothing was spent on the channel in the month
    case
        when cac_status = 'missing_input' or channel = 'unknown' then null
        when cac_status = 'ok' then cost_per_customer
        else 0
    end as acquisition_cost,

    ---------- dates
    acquisition_month  -- its first day

from judged
