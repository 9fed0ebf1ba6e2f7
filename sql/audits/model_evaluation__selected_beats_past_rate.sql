-- model_evaluation__selected_beats_past_rate: the model errs no more than the past rate going on.
-- table: model_evaluation
-- severity: warn
-- inputs: model_evaluation
-- params: $max_mae_ratio
select
    model,
    mae,
    naive_mae
from model_evaluation
where
    is_selected
    and mae > $max_mae_ratio * naive_mae
