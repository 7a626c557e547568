{# The index date of every patient of a cohort: the earlier of the first infusion and the recorded start of the
   index therapy; null for the untreated, and where it lies before birth (flagged). A start known only to month or year is the first infusion where that
   lies in its period. #}

with

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

infusion_days as (
    select * from {{ ref('int_outcomes__index_days') }}
),

exposures as (
    select * from {{ ref('int_outcomes__drug_exposures') }}
),

first_infusions as (
    select patient_key, min(infusion_date) as first_infusion_date
    from infusion_days
    group by patient_key
),

starts as (
    select
        exposures.patient_key,
        exposures.drug_inn,
        first_infusions.first_infusion_date,
        case
            when
                exposures.start_date_precision <> 'day'
                and first_infusions.first_infusion_date >= exposures.start_date
                and first_infusions.first_infusion_date <= exposures.start_date_latest
                then first_infusions.first_infusion_date
            else exposures.start_date
        end as start_date,
        case when exposures.origin = 'treatment' then 1 else 0 end as is_treatment
    from exposures
    left join first_infusions
        on exposures.patient_key = first_infusions.patient_key
    where exposures.is_index_therapy
),

ranked as (
    select
        *,
        row_number() over (
            partition by patient_key
            order by start_date, is_treatment, drug_inn
        ) as start_rank,
        min(case when is_treatment = 1 then start_date end) over (partition by patient_key)
            as treatment_start_date
    from starts
    where start_date is not null
),

final as (
    select
        patient_dates.patient_key,
        patient_dates.cohort,
        patient_dates.patient_id,
        case when coalesce(ranked.start_date < patient_dates.birth_date, false) then null else ranked.start_date end
            as index_date,
        ranked.drug_inn as index_drug,
        ranked.first_infusion_date,
        ranked.treatment_start_date,
        coalesce(
            abs({{ days_between('ranked.first_infusion_date', 'ranked.treatment_start_date') }})
            > {{ var('index_conflict_days') }},
            false
        ) as is_index_conflict,
        coalesce(ranked.start_date < patient_dates.birth_date, false) as is_index_before_birth,
        patient_dates.enrolment_date
    from patient_dates
    left join ranked
        on patient_dates.patient_key = ranked.patient_key
        and ranked.start_rank = 1
)

select * from final
