{# Every recorded relapse with its derived onset; partial onsets never before birth or disease onset, never
   after the last contact or death. Numbered per patient by onset, not by row. #}

with

relapses as (
    select * from {{ ref('stg_cohort__relapses') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

derived as (
    select
        patient_dates.patient_key,
        relapses.cohort,
        relapses.patient_id,
        case
            when relapses.onset_date_precision = 'day' then relapses.onset_date
            else greatest(
                relapses.onset_date_earliest,
                least(
                    relapses.onset_date_latest,
                    greatest(
                        least(relapses.onset_date, patient_dates.last_contact_date, patient_dates.death_date),
                        patient_dates.birth_date,
                        patient_dates.onset_date
                    )
                )
            )
        end as onset_date,
        relapses.onset_date_precision as onset_precision,
        relapses.relapse_id as recorded_relapse_id,
        relapses.end_date,
        relapses.severity,
        relapses.recovery,
        relapses.steroids,
        coalesce(relapses.is_pseudo_relapse, false) as is_pseudo_relapse,
        coalesce(relapses.onset_date_earliest > patient_dates.death_date, false) as is_after_death,
        coalesce(relapses.onset_date_latest < patient_dates.birth_date, false) as is_before_birth,
        relapses.source_file,
        relapses.source_sheet,
        relapses.source_row
    from relapses
    inner join patient_dates
        on relapses.cohort = patient_dates.cohort and relapses.patient_id = patient_dates.patient_id
    where relapses.onset_date is not null
),

final as (
    select
        *,
        cast(
            row_number() over (
                partition by patient_key
                order by
                    onset_date,
                    onset_precision,
                    recorded_relapse_id,
                    end_date,
                    severity,
                    recovery,
                    source_file,
                    source_sheet,
                    source_row
            ) as bigint
        ) as relapse_number
    from derived
)

select * from final
