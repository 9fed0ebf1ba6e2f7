-- int_contract_fit: the model of contracts, fitted on all; no row without contracts.
-- grain: model
-- inputs: contract_outcomes
-- params: none
-- source: Fader and Hardie (2007), Journal of Interactive Marketing 21(1); shifted beta-geometric
select
    'sbg' as model,
    sbg_fit(periods, is_ended) as fit  -- time in contract periods
from contract_outcomes
where outcome = 'valid'
having count(*) > 0
