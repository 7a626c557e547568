{# MSSS, ARMSS and Ped-MSSS of the EDSS that stand for a patient (index baseline and last), by completed years at that
   EDSS's own date. No interpolation: a cell that is empty or outside the table is null with its reason. #}

with

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

endpoints as (
    select * from {{ ref('int_outcomes__edss_endpoints') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

msss_tables as (
    select * from {{ ref('msss_tables') }}
),

armss_table as (
    select * from {{ ref('armss_table') }}
),

days as (
    select patient_key, baseline_edss_date as visit_date from endpoints where baseline_edss_date is not null
    union all
    select patient_key, last_edss_date as visit_date from endpoints where last_edss_date is not null
),

aged as (
    select
        edss.*,
        patient_dates.onset_date,
        patient_dates.birth_date,
        {{ completed_years('patient_dates.onset_date', 'edss.visit_date') }} as duration_years,
        {{ completed_years('patient_dates.birth_date', 'edss.visit_date') }} as age_years
    from edss
    inner join days
        on edss.patient_key = days.patient_key and edss.visit_date = days.visit_date
    left join patient_dates
        on edss.patient_key = patient_dates.patient_key
),

-- the last row of the table stands for every longer duration; a `dd` 0 row is one tool's extension and off
-- unless `msss_first_duration` is 0
rows_of_tables as (
    select msss_table, duration_years, edss, msss,
        max(duration_years) over (partition by msss_table) as last_duration
    from msss_tables
),

last_durations as (
    select msss_table, max(duration_years) as last_duration from msss_tables group by msss_table
),

keyed as (
    select
        aged.*,
        case
            when aged.duration_years < {{ var('msss_first_duration') }} then null
            else least(aged.duration_years, last_durations.last_duration)
        end as table_duration
    from aged
    left join last_durations on last_durations.msss_table = '{{ var("msss_table") }}'
),

final as (
    select
        keyed.patient_key,
        keyed.visit_date,
        keyed.edss,
        keyed.msss_recorded,
        keyed.duration_years,
        keyed.age_years,
        global_table.msss,
        case
            when global_table.msss is not null then null
            when keyed.onset_date is null then 'no_onset_date'
            when keyed.duration_years < 0 then 'before_onset'
            when keyed.table_duration is null then 'duration_under_one_year'
            else 'edss_not_in_table'
        end as msss_null_reason,
        armss_table.armss,
        case
            when armss_table.armss is not null then null
            when keyed.birth_date is null then 'no_birth_date'
            when keyed.age_years < 18 or keyed.age_years > 75 then 'age_outside_table'
            else 'edss_not_in_table'
        end as armss_null_reason,
        child_table.msss as ped_msss,
        case
            when child_table.msss is not null then null
            when keyed.birth_date is null then 'no_birth_date'
            when keyed.age_years >= 18 then 'adult'
            when keyed.onset_date is null then 'no_onset_date'
            when keyed.duration_years < 1 or keyed.duration_years > 15 then 'duration_outside_table'
            else 'empty_cell'
        end as ped_msss_null_reason
    from keyed
    left join rows_of_tables as global_table
        on global_table.msss_table = '{{ var("msss_table") }}'
        and global_table.duration_years = keyed.table_duration
        and global_table.edss = keyed.edss
    left join armss_table
        on armss_table.age_years = keyed.age_years and armss_table.edss = keyed.edss
    left join rows_of_tables as child_table
        on child_table.msss_table = '{{ var("ped_msss_table") }}'
        and keyed.age_years < 18
        and child_table.duration_years = keyed.duration_years
        and child_table.edss = keyed.edss
)

select * from final
