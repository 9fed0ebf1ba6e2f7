-- score_cuts__cuts_ascend: the cut points of every score ascend.
-- table: score_cuts
-- severity: error
-- inputs: score_cuts
-- params: none
select
    score,
    cuts
from score_cuts
where cuts != array_sort(cuts)
