-- model_fits__candidates_are_known: every model of $models has a fit.
-- table: model_fits
-- severity: error
-- inputs: model_fits
-- params: $models
with

candidates as (

    select unnest($models) as model

)

select candidates.model
from candidates
left anti join model_fits
    on candidates.model = model_fits.model
