-- stg_survey_answers: the source survey_answers through its contract; override it to map columns.
-- grain: answer_id
-- inputs: source.survey_answers
-- params: none
-- source: the contract in sources/survey_answers.sql
select * from source.survey_answers
