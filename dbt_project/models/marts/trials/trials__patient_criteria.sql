with

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
    where versions_back = 0
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

verdicts as (
    select * from {{ ref('int_trials__verdicts') }}
),

patterns as (
    select * from {{ ref('int_trials__patterns') }}
),

shape_answers as (
    select * from {{ ref('int_trials__shape_answers') }}
),

shape_truths as (
    select * from {{ ref('int_trials__shape_truths') }}
    where constraints > 1
),

-- the patients of each study that the table has room for: all, or of those who are not out the nearest
volume as (
    select
        cast(floor({{ var('patient_criteria_rows') }} / greatest(1, (select count(*) from placed))) as bigint) as room,
        (select count(*) from patients) as patients
),

nearest as (
    select
        verdicts.patient_number,
        verdicts.study_number,
        verdicts.pattern_number,
        volume.patients <= volume.room as has_room_for_all,
        volume.room,
        row_number() over (
            partition by verdicts.study_number
            order by
                case verdicts.verdict when 'eligible' then 0 when 'eligible_on_evaluable' then 1 else 2 end,
                verdicts.criteria_unknown,
                verdicts.patient_number
        ) as place
    from verdicts
    cross join volume
    where volume.patients <= volume.room or verdicts.verdict <> 'ineligible'
),

shown as (
    select
        patient_number,
        study_number,
        pattern_number
    from nearest
    where has_room_for_all or place <= room
),

asked as (
    select
        shown.patient_number,
        shown.pattern_number,
        placed.criterion_number,
        placed.is_unread_decisive,
        coalesce(placed.shape_number, 0) as shape_number,
        coalesce(placed.page, 0) as page,
        coalesce(placed.bits_in_page, 0) as bits_in_page,
        placed.shape_number is not null as is_answerable
    from shown
    inner join placed on shown.study_number = placed.study_number
),

pages as (
    {{ pages_of('patterns', ['pattern_number']) }}
),

read_states as (
    select
        asked.*,
        case when asked.is_answerable then {{ state_in('pages.code', 'asked.bits_in_page') }} end as state
    from asked
    inner join pages on asked.pattern_number = pages.pattern_number and asked.page = pages.page
),

-- of several constraints the one that decided
deciders as (
    select
        shape_answers.patient_number,
        shape_answers.shape_number,
        shape_truths.constraint_place
    from shape_answers
    inner join shape_truths
        on shape_answers.shape_number = shape_truths.shape_number
        and shape_answers.code = shape_truths.code
        and shape_answers.further_codes = shape_truths.further_codes
),

truths as (
    select
        read_states.patient_number,
        read_states.criterion_number,
        case when read_states.is_answerable then {{ truth_of_state('read_states.state') }} else 1 end as truth,
        case
            when read_states.is_answerable then {{ evaluable_truth_of_state('read_states.state') }}
            when read_states.is_unread_decisive then 1
            else 2
        end as truth_evaluable,
        cast(coalesce(deciders.constraint_place, 1) as bigint) as constraint_place
    from read_states
    left join deciders
        on read_states.shape_number = deciders.shape_number and read_states.patient_number = deciders.patient_number
),

numbered_constraints as (
    select
        *,
        row_number() over (partition by criterion_number order by constraint_ordinal) as constraint_place
    from {{ ref('int_trials__constraints') }}
    where versions_back = 0
),

-- of a sentence that was not read no constraint is shown; part of no join below, which would become a loop
constraints as (
    select numbered_constraints.*
    from numbered_constraints
    inner join placed on numbered_constraints.criterion_number = placed.criterion_number
    where placed.parse_status <> 'unparsed'
),

conditions as (
    select * from {{ ref('int_trials__conditions') }}
),

answers as (
    select * from {{ ref('int_trials__answers') }}
),

records as (
    select * from {{ ref('int_trials__records') }}
),

delivered_columns as (
    select
        cohort,
        delivery_id,
        sheet,
        table_name,
        column_name,
        max(column_letter) as column_letter
    from {{ ref('stg_cohort__delivered_columns') }}
    group by cohort, delivery_id, sheet, table_name, column_name
),

-- the condition that decided each criterion; none where nothing was read
decided as (
    select
        truths.patient_number,
        truths.criterion_number,
        truths.truth,
        truths.truth_evaluable,
        constraints.is_expected,
        constraints.is_qualified,
        constraints.quote,
        constraints.condition_number,
        conditions.kind,
        conditions.family,
        conditions.condition_text,
        coalesce(conditions.family, 'not_collected') <> 'not_collected' as has_answer
    from truths
    left join constraints
        on truths.criterion_number = constraints.criterion_number
        and truths.constraint_place = constraints.constraint_place
    left join conditions on constraints.condition_number = conditions.condition_number
),

-- two branches and no outer join: the rows without an answer would all have one key
answered as (
    select
        decided.*,
        answers.truth as condition_truth,
        {{ unknown_kind_of('answers.unknown_kind_code') }} as unknown_kind,
        answers.number_low,
        answers.number_high,
        coalesce({{ evidence_table_of('answers.evidence_table_code') }}, '') as evidence_table,
        coalesce(answers.evidence_number, 0) as evidence_number
    from decided
    inner join answers
        on decided.condition_number = answers.condition_number and decided.patient_number = answers.patient_number
    where decided.has_answer
    union all
    select
        *,
        cast(null as integer) as condition_truth,
        cast(null as string) as unknown_kind,
        cast(null as double) as number_low,
        cast(null as double) as number_high,
        '' as evidence_table,
        cast(0 as bigint) as evidence_number
    from decided
    where not has_answer
),

explained as (
    select
        patients.patient_number,
        patients.cohort,
        patients.patient_id,
        placed.nct_id,
        placed.criterion_id,
        placed.position_in_text,
        placed.section,
        placed.part,
        placed.parse_status,
        placed.is_subjective,
        placed.is_decisive,
        placed.top_any_group_id is not null as is_alternative,
        placed.kinds,
        answered.truth,
        answered.truth_evaluable,
        answered.is_expected,
        answered.is_qualified,
        answered.quote,
        answered.kind,
        answered.family,
        answered.condition_text,
        answered.condition_truth,
        answered.unknown_kind,
        answered.number_low,
        answered.number_high,
        answered.evidence_table,
        records.value_text,
        records.record_date,
        records.column_name,
        coalesce(records.source_file, case when answered.evidence_table = 'patients' then patients.source_file end) as source_file,
        coalesce(records.source_sheet, case when answered.evidence_table = 'patients' then patients.source_sheet end) as source_sheet,
        coalesce(records.source_row, case when answered.evidence_table = 'patients' then patients.source_row end) as source_row,
        patients.sex,
        patients.course,
        patients.onset_date_earliest,
        patients.onset_date_latest,
        patients.progression_onset_date_latest,
        patients.screened_on,
        patients.complete_from,
        case
            when answered.family in ('relapses', 'relapses_on_therapy') and patients.has_relapses_set_aside
                or answered.family in ('therapies', 'relapses_on_therapy') and patients.has_treatments_set_aside
                or answered.family = 'mri' and patients.has_mri_set_aside
                then patients.incomplete_tables
        end as incomplete_tables
    from answered
    inner join placed on answered.criterion_number = placed.criterion_number
    inner join patients on answered.patient_number = patients.patient_number
    left join records
        on answered.patient_number = records.patient_number
        and answered.evidence_table = records.table_name
        and answered.evidence_number = records.record_number
),

worded as (
    select
        *,
        case
            when family = 'person' and kind = 'age_range' and number_low is not null
                then 'age ' || {{ plain_number('floor(number_low)') }}
                    || case when number_high > number_low then ' or ' || {{ plain_number('floor(number_high)') }} else '' end
            when family = 'person' and kind = 'sex' then coalesce(sex, 'unknown')
            when family = 'person' and kind = 'disease_course'
                then coalesce('course ' || course, 'no course')
                    || coalesce(', progressive by ' || cast(progression_onset_date_latest as string), '')
            when family = 'person' and kind = 'disease_duration'
                then case
                    when onset_date_earliest is null then 'no onset date'
                    when onset_date_earliest = onset_date_latest then 'onset ' || cast(onset_date_earliest as string)
                    else 'onset between ' || cast(onset_date_earliest as string) || ' and ' || cast(onset_date_latest as string)
                end
            when family in ('relapses', 'relapses_on_therapy', 'mri') and number_high is not null
                then {{ plain_number('number_low') }}
                    || case when number_high > number_low then ' to ' || {{ plain_number('number_high') }} else '' end
                    || case when family = 'mri' then ' lesion' else ' relapse' end
                    || case when number_high = 1 and number_low = 1 then '' else 's' end
                    || coalesce(', latest: ' || value_text, '')
            else value_text
        end as patient_value
    from explained
),

final as (
    select
        worded.cohort,
        worded.patient_id,
        worded.nct_id,
        worded.criterion_id,
        cast(worded.position_in_text as bigint) as position_in_text,
        worded.section,
        worded.part,
        case
            when worded.truth = 1 then 'unknown'
            when (worded.truth = 2) = (worded.section = 'inclusion') then 'met'
            else 'not_met'
        end as answer,
        case worded.truth when 2 then true when 0 then false end as is_satisfied,
        worded.is_decisive,
        worded.is_alternative,
        worded.is_subjective,
        case
            when worded.truth <> 1 then null
            when worded.parse_status = 'unparsed' and worded.is_subjective then 'subjective'
            when worded.parse_status = 'unparsed' then 'unparsed'
            when worded.is_subjective and worded.truth_evaluable = 2 then 'subjective'
            when worded.family = 'not_collected' or worded.condition_text is null then 'not_collected'
            when worded.condition_truth = 1 then coalesce(worded.unknown_kind, 'missing')
            when worded.is_qualified then 'exception_not_read'
            else 'partly_read'
        end as unknown_kind,
        case
            when worded.parse_status = 'unparsed' then 'the sentence was not read to a condition'
            when worded.condition_text is null then 'no condition was read'
            when worded.family = 'not_collected' then worded.condition_text || ': not in the cohort''s data'
            when worded.condition_truth = 1 and worded.unknown_kind = 'not_collected' and worded.family = 'therapies'
                and worded.condition_text like '% or %'
                then worded.condition_text || ': none found, but not each of them is in the cohort''s data'
            when worded.condition_truth = 1 and worded.kind = 'contraception_required' and worded.value_text is not null
                then worded.condition_text || ': whether the patient needs it is not in the cohort''s data'
            when worded.condition_truth = 1 and worded.unknown_kind = 'not_collected'
                then worded.condition_text || ': not in the cohort''s data'
            when worded.condition_truth = 1 and worded.unknown_kind = 'imprecise'
                then worded.condition_text || ': the dates or values allow both answers'
            when worded.condition_truth = 1
                then worded.condition_text || ': no record proves it' || case
                    when worded.incomplete_tables is not null
                        then ', and rows of the patient were set aside (' || worded.incomplete_tables || ')'
                    when worded.complete_from is null then ', and no complete history is declared'
                    else ', and its absence is not proven (complete from ' || cast(worded.complete_from as string) || ')'
                end
            else worded.condition_text
                || case
                    when worded.is_expected then case when worded.condition_truth = 2 then ': yes' else ': no' end
                    when worded.condition_truth = 2 then ': found'
                    else ': not so'
                end
                || case
                    when worded.is_qualified and worded.truth = 1 then ', but the text has an exception that was not read'
                    when worded.truth = 1 then ', but the sentence says more than was read'
                    else ''
                end
        end as reason,
        worded.patient_value,
        case
            when worded.patient_value is null then null
            when worded.evidence_table = 'patients' then worded.screened_on
            else worded.record_date
        end as patient_value_date,
        case when worded.patient_value is not null then worded.source_file end as source_file,
        case when worded.patient_value is not null then worded.source_sheet end as source_sheet,
        case when worded.patient_value is not null then cast(worded.source_row as bigint) end as source_row,
        case when worded.patient_value is not null then delivered_columns.column_letter end as source_column,
        worded.quote,
        worded.kinds
    from worded
    left join delivered_columns
        on worded.cohort = delivered_columns.cohort
        and worded.source_file = delivered_columns.delivery_id
        and worded.source_sheet = delivered_columns.sheet
        and worded.evidence_table = delivered_columns.table_name
        and coalesce(worded.column_name, case worded.kind
            when 'age_range' then 'birth_date' when 'sex' then 'sex' when 'disease_course' then 'course'
            when 'disease_duration' then 'onset_date' else 'patient_id' end) = delivered_columns.column_name
)

select * from final
