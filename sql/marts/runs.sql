-- runs: what the run read, published and left out; the last table that a run commits.
-- grain: run_id
-- inputs: int_run_counts, run.current, run.inputs, run.tables, run.warnings
-- params: none
-- source: definition in int_run_counts
with

warnings as (

    select message
    from run.warnings

    union all

    select
        concat(source, ': ', cast(rows as varchar), ' rows not counted, ', outcome) as message
    from int_run_counts
    where
        outcome not in ('valid', 'quarantined', 'unattributed')
        and rows > 0

)

select
    ---------- text
    cast(code_version as varchar) as code_version,
    cast(fingerprint as varchar) as fingerprint,  -- equal ones: nothing changed
    cast(parameters as varchar) as parameters,  -- JSON

    ---------- lists
    (
        select
            array_agg(
                named_struct('name', name, 'files', files, 'rows', rows, 'fingerprint', fingerprint)
                order by name
            )
        from run.inputs
    ) as inputs,
    (
        select array_agg(named_struct('name', name, 'version', version, 'rows', rows) order by name)
        from run.tables
    ) as tables,
    (select array_agg(message order by message) from warnings) as warnings,

    ---------- numerics
    (
        select cast(coalesce(sum(rows), 0) as bigint)
        from int_run_counts
        where
            source = 'orders'
            and outcome = 'unattributed'
    ) as unattributed_orders,  -- valid orders without a customer
    (
        select cast(coalesce(sum(rows), 0) as bigint)
        from int_run_counts
        where outcome = 'quarantined'
    ) as quarantined_rows,  -- of all sources

    ---------- timestamps
    started_at,
    finished_at

from run.current
