with

epochs as (
    select
        *,
        case
            when outcome_kind in ('arr', 'relapses') then 'relapses'
            when outcome_kind in ('edss', 'edss_change', 'cdw', 'cdi', 'msss', 'armss', 'pira', 'disability') then 'edss'
            when outcome_kind in ('t2_lesions', 'gd_lesions', 'mri') then 'mri_scans'
            when outcome_kind = 'neda' then 'edss'
            when outcome_kind = 'adverse_events' then 'adverse_events'
            when outcome_kind in ('lymphocytes', 'antidrug_antibodies', 'laboratory') then 'laboratory'
            when outcome_kind = 'pharmacokinetics' then 'pk_samples'
            when outcome_kind in ('sdmt', 'bvmt_r', 'pedsql', 'neuroqol', 't25fw', 'nhpt', 'pasat', 'oct', 'msfc') then 'assessments'
        end as data_table,
        case outcome_kind
            when 'sdmt' then 'sdmt' when 'bvmt_r' then 'bvmt-r' when 'pedsql' then 'pedsql' when 'neuroqol' then 'neuroqol'
            when 't25fw' then 't25fw' when 'nhpt' then '9hpt' when 'pasat' then 'pasat' when 'oct' then 'oct' when 'msfc' then 't25fw'
            when 'antidrug_antibodies' then 'antidrug_antibodies' when 'lymphocytes' then 'lymphocytes'
        end as data_detail
    from {{ ref('int_trials__registered_epochs') }}
),

outcome_epochs as (
    select * from {{ ref('int_outcomes__registered_epochs') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
    where index_date is not null
),

observation as (
    select * from {{ ref('int_outcomes__observation') }}
),

treated as (
    select
        patients.patient_number,
        patients.cohort,
        index_dates.index_date,
        observation.observed_from,
        observation.observed_to,
        patients.has_relapses_table
    from patients
    inner join index_dates
        on patients.cohort = index_dates.cohort and patients.patient_id = index_dates.patient_id
    inner join observation
        on patients.cohort = observation.cohort and patients.patient_id = observation.patient_id
),

cohort_sizes as (
    select cohort, count(*) as patients
    from treated
    group by cohort
),

dated as (
    select 'edss' as data_table, cast(null as string) as data_detail, cohort, patient_id, visit_date as data_date from {{ ref('stg_cohort__edss') }}
    union all
    select 'mri_scans', null, cohort, patient_id, scan_date from {{ ref('stg_cohort__mri_scans') }}
    union all
    select 'assessments', lower(instrument), cohort, patient_id, assessed_on from {{ ref('stg_cohort__assessments') }}
    union all
    select 'laboratory', case when lower(test) in ('antidrug_antibodies') then 'antidrug_antibodies'
        when lower(test) like 'cd%' or lower(test) like 'lymphocyte%' then 'lymphocytes' else lower(test) end,
        cohort, patient_id, sampled_on from {{ ref('stg_cohort__laboratory') }}
    union all
    select 'pk_samples', null, cohort, patient_id, cast(first_dose_at as date) from {{ ref('stg_cohort__pk_samples') }}
    union all
    select 'adverse_events', null, cohort, patient_id, onset_date from {{ ref('stg_cohort__adverse_events') }}
),

points as (
    select distinct
        treated.patient_number,
        dated.data_table,
        dated.data_detail,
        dated.data_date
    from dated
    inner join patients on dated.cohort = patients.cohort and dated.patient_id = patients.patient_id
    inner join treated on patients.patient_number = treated.patient_number
),

windows as (
    select distinct data_table, data_detail, start_months, start_days, end_months, end_days, is_point
    from epochs
    where has_window and data_table is not null
),

placed as (
    select
        windows.*,
        treated.patient_number,
        treated.cohort,
        treated.observed_from,
        treated.observed_to,
        treated.has_relapses_table,
        {{ add_days(add_months('treated.index_date', 'windows.start_months'), 'windows.start_days') }} as start_date,
        {{ add_days(add_months('treated.index_date', 'windows.end_months'), 'windows.end_days') }} as end_date
    from windows
    cross join treated
),

with_data as (
    select distinct
        placed.patient_number, placed.data_table, placed.data_detail, placed.start_months, placed.start_days,
        placed.end_months, placed.end_days, placed.is_point
    from placed
    inner join points
        on placed.patient_number = points.patient_number
        and placed.data_table = points.data_table
        and (placed.data_detail is null or placed.data_detail = points.data_detail)
        -- scans and visits look back a little (domain: epochs); a point takes what lies near it
        and points.data_date >= case when placed.is_point then {{ add_days('placed.end_date', -45) }} else placed.start_date end
        and points.data_date <= {{ add_days('placed.end_date', 45) }}
    where placed.data_table not in ('relapses', 'adverse_events')
),

judged as (
    select
        placed.cohort,
        placed.data_table,
        placed.data_detail,
        placed.start_months,
        placed.start_days,
        placed.end_months,
        placed.end_days,
        placed.is_point,
        sum(case when placed.observed_from <= placed.start_date and placed.observed_to >= placed.end_date then 1 else 0 end)
            as patients_observed,
        sum(case when placed.observed_from < placed.end_date and placed.observed_to > placed.start_date then 1 else 0 end)
            as patients_partly_observed,
        sum(
            case
                when placed.data_table = 'relapses' and placed.has_relapses_table
                    and placed.observed_from < placed.end_date and placed.observed_to > placed.start_date then 1
                when placed.data_table = 'adverse_events'
                    and placed.observed_from < placed.end_date and placed.observed_to > placed.start_date then 1
                when with_data.patient_number is not null then 1
                else 0
            end
        ) as patients_with_data
    from placed
    left join with_data
        on placed.patient_number = with_data.patient_number
        and placed.data_table = with_data.data_table
        and coalesce(placed.data_detail, '') = coalesce(with_data.data_detail, '')
        and placed.start_months = with_data.start_months
        and placed.start_days = with_data.start_days
        and placed.end_months = with_data.end_months
        and placed.end_days = with_data.end_days
        and placed.is_point = with_data.is_point
    group by placed.cohort, placed.data_table, placed.data_detail, placed.start_months, placed.start_days,
        placed.end_months, placed.end_days, placed.is_point
),

delivered as (
    select cohort, ',' || replace(coalesce(delivered_tables, ''), ' ', '') || ',' as delivered_tables
    from {{ ref('stg_cohort__cohorts') }}
),

joined as (
    select
        cohort_sizes.cohort,
        cohort_sizes.patients,
        epochs.*,
        coalesce(delivered.delivered_tables, '') like '%,' || epochs.data_table || ',%' as is_table_delivered,
        outcome_epochs.epoch,
        judged.patients_observed,
        judged.patients_with_data
    from epochs
    cross join cohort_sizes
    left join delivered on cohort_sizes.cohort = delivered.cohort
    left join outcome_epochs
        on epochs.nct_id = outcome_epochs.nct_id
        and epochs.outcome_type = outcome_epochs.outcome_type
        and epochs.ordinal = outcome_epochs.ordinal
        and epochs.epoch_number = outcome_epochs.epoch_number
    left join judged
        on cohort_sizes.cohort = judged.cohort
        and epochs.has_window
        and epochs.data_table = judged.data_table
        and coalesce(epochs.data_detail, '') = coalesce(judged.data_detail, '')
        and epochs.start_months = judged.start_months
        and epochs.start_days = judged.start_days
        and epochs.end_months = judged.end_months
        and epochs.end_days = judged.end_days
        and epochs.is_point = judged.is_point
),

final as (
    select
        cohort,
        nct_id,
        outcome_type,
        cast(ordinal as bigint) as ordinal,
        cast(epoch_number as bigint) as epoch_number,
        measure,
        outcome_kind,
        epoch_label,
        epoch,
        anchor,
        cast(start_offset as double) as start_offset,
        cast(end_offset as double) as end_offset,
        offset_unit,
        quote,
        data_table,
        cast(patients as bigint) as patients,
        cast(coalesce(patients_observed, 0) as bigint) as patients_observed,
        cast(case when is_table_delivered then coalesce(patients_with_data, 0) else 0 end as bigint) as patients_with_data,
        coalesce(is_table_delivered and patients_with_data > 0, false) as is_answerable,
        case
            when data_table is null then 'the cohort has no table for this kind of outcome'
            when is_table_delivered = false then 'the cohort did not deliver ' || data_table
            when has_window is null or has_window = false then 'the time frame has no window counted from the start of treatment'
            when coalesce(patients_with_data, 0) = 0 then 'no patient has such data in this window'
            else 'data of ' || cast(patients_with_data as string) || ' of ' || cast(patients as string) || ' patients'
        end as reason
    from joined
)

select * from final
