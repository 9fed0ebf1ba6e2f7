-- model_fits__selected_is_ok: only models whose fit ended well are used.
-- table: model_fits
-- severity: error
-- inputs: model_fits
-- params: none
select
    model,
    parameter,
    status,
    value
from model_fits
where
    is_selected
    and (status != 'ok' or value is null)
