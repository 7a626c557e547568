{# The records that conditions look at, dated on or before the screening day in at least one reading of their
   date, numbered per patient and table so that an answer can name its evidence by a number.
   `value_text` is what a reader is shown. #}

with

patients as (
    select * from {{ ref('int_trials__patients') }}
),

edss as (
    select
        'edss' as table_name,
        cohort, patient_id, source_file, source_sheet, source_row,
        visit_date_earliest as from_earliest,
        visit_date_latest as from_latest,
        visit_date_earliest as to_earliest,
        visit_date_latest as to_latest,
        visit_date as record_date,
        'edss' as column_name,
        cast(null as string) as concept,
        edss as number_low,
        edss as number_high,
        cast(null as double) as second_number,
        cast(null as string) as status,
        'EDSS ' || {{ plain_number('edss') }} as value_text
    from {{ ref('stg_cohort__edss') }}
),

relapses as (
    select
        'relapses' as table_name,
        staged.cohort, staged.patient_id, staged.source_file, staged.source_sheet, staged.source_row,
        staged.onset_date_earliest, staged.onset_date_latest, staged.onset_date_earliest, staged.onset_date_latest,
        staged.onset_date,
        'onset_date',
        cast(null as string),
        cast(null as double), cast(null as double), cast(null as double),
        case when staged.steroids then 'steroids' when staged.steroids is null then 'steroids unknown' else 'no steroids' end,
        'relapse on ' || coalesce(staged.onset_date_text, cast(staged.onset_date as string))
    from {{ ref('stg_cohort__relapses') }} as staged
    inner join {{ ref('int_outcomes__relapses_resolved') }} as resolved
        on staged.cohort = resolved.cohort
        and staged.patient_id = resolved.patient_id
        and staged.source_file = resolved.source_file
        and staged.source_sheet = resolved.source_sheet
        and staged.source_row = resolved.source_row
    where resolved.is_counted
),

treatments as (
    select
        'treatments' as table_name,
        cohort, patient_id, source_file, source_sheet, source_row,
        start_date_earliest, start_date_latest, end_date_earliest, end_date_latest,
        start_date,
        'drug',
        coalesce(drug_inn, '?'),
        cast(null as double), cast(null as double), cast(null as double),
        stop_reason,
        coalesce(drug_inn, 'unknown drug') || ' from ' || coalesce(start_date_text, cast(start_date as string))
            || case when end_date is null then ', going on' else ' to ' || coalesce(end_date_text, cast(end_date as string)) end
    from {{ ref('stg_cohort__treatments') }}
),

infusions as (
    select
        'infusions' as table_name,
        cohort, patient_id, source_file, source_sheet, source_row,
        infusion_date_earliest, infusion_date_latest, infusion_date_earliest, infusion_date_latest,
        infusion_date,
        'drug',
        coalesce(drug_inn, '?'),
        cast(null as double), cast(null as double), cast(null as double),
        cast(null as string),
        coalesce(drug_inn, 'unknown drug') || ' infusion on ' || coalesce(infusion_date_text, cast(infusion_date as string))
    from {{ ref('stg_cohort__infusions') }}
),

mri_scans as (
    select
        'mri_scans' as table_name,
        cohort, patient_id, source_file, source_sheet, source_row,
        scan_date_earliest, scan_date_latest, scan_date_earliest, scan_date_latest,
        scan_date,
        'scan_date',
        cast(null as string),
        cast(gd_lesions as double), cast(gd_lesions as double), cast(new_or_enlarging_t2 as double),
        cast(null as string),
        'scan with ' || coalesce(cast(gd_lesions as string), '?') || ' Gd and '
            || coalesce(cast(new_or_enlarging_t2 as string), '?') || ' new or enlarging T2 lesions'
    from {{ ref('stg_cohort__mri_scans') }}
),

medical_history as (
    select
        'medical_history' as table_name,
        cohort, patient_id, source_file, source_sheet, source_row,
        onset_date_earliest, onset_date_latest, end_date_earliest, end_date_latest,
        onset_date,
        'status',
        category,
        cast(null as double), cast(null as double), cast(null as double),
        status,
        replace(category, '_', ' ') || ' ' || status
    from {{ ref('stg_cohort__medical_history') }}
),

laboratory as (
    select
        'laboratory' as table_name,
        cohort, patient_id, source_file, source_sheet, source_row,
        sampled_on_earliest, sampled_on_latest, sampled_on_earliest, sampled_on_latest,
        sampled_on,
        'value',
        replace(lower(test), '_', ' '),
        case when comparator in ('<', '<=') then 0e0 else value end,
        case when comparator in ('>', '>=') then cast('infinity' as double) else value end,
        cast(null as double),
        {{ laboratory_unit('unit') }},
        replace(lower(test), '_', ' ') || ' ' || coalesce(comparator, '') || {{ plain_number('value') }} || coalesce(' ' || unit, '')
    from {{ ref('stg_cohort__laboratory') }}
),

records as (
    select * from edss
    union all select * from relapses
    union all select * from treatments
    union all select * from infusions
    union all select * from mri_scans
    union all select * from medical_history
    union all select * from laboratory
),

final as (
    select
        patients.patient_number,
        records.table_name,
        cast(
            row_number() over (
                partition by patients.patient_number, records.table_name
                order by records.from_earliest nulls first, records.source_file, records.source_sheet, records.source_row
            ) as bigint
        ) as record_number,
        records.from_earliest,
        records.from_latest,
        records.to_earliest,
        records.to_latest,
        records.record_date,
        records.concept,
        records.number_low,
        records.number_high,
        records.second_number,
        records.status,
        records.value_text,
        records.cohort,
        records.column_name,
        records.source_file,
        records.source_sheet,
        records.source_row,
        patients.screened_on,
        patients.complete_from
    from records
    inner join patients on records.cohort = patients.cohort and records.patient_id = patients.patient_id
    where records.from_earliest is null or records.from_earliest <= patients.screened_on or records.table_name = 'medical_history'
)

select * from final
