-- int_fit_groups: the groups of customers that are large enough for models of their own.
-- grain: fitted_on, fit_group
-- inputs: int_fit_histories
-- params: $min_fit_customers
-- source: customers of other groups use the models that are fitted on all
select
    ---------- text
    fitted_on,
    fit_group,

    ---------- numerics
    sum(customers) as customers

from int_fit_histories
where fit_group is not null
group by fitted_on, fit_group
having sum(customers) >= $min_fit_customers
