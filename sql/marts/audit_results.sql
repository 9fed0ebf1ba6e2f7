-- audit_results: what the audits of the run found.
-- grain: audit
-- inputs: run.audits
-- params: none
-- source: the files in audits/, and the audits of grains
select
    ---------- ids
    cast(audit as varchar) as audit,

    ---------- text
    cast(table_name as varchar) as table_name,
    cast(severity as varchar) as severity,  -- error, warn, quarantine
    cast(example as varchar) as example,  -- one offending row

    ---------- numerics
    cast(offending_rows as bigint) as offending_rows

from run.audits
