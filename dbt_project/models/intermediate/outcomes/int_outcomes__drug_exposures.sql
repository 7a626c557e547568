{# Every exposure to a disease-modifying drug: treatment records, and infusion days where no treatment record
   of that drug covers them. A partial start is the first day of its period, a partial stop the last, capped at
   a later switch, the last contact and death. #}

with

treatments as (
    select * from {{ ref('stg_cohort__treatments') }}
),

infusions as (
    select * from {{ ref('stg_cohort__infusions') }}
),

drugs as (
    select * from {{ ref('drugs') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

partial_stops as (
    select * from treatments
    where end_date is not null and end_date_precision <> 'day'
),

switches as (
    select
        partial_stops.cohort,
        partial_stops.source_file,
        partial_stops.source_sheet,
        partial_stops.source_row,
        min(later.start_date) as switch_date
    from partial_stops
    inner join treatments as later
        on partial_stops.cohort = later.cohort
        and partial_stops.patient_id = later.patient_id
        and coalesce(partial_stops.drug_inn, partial_stops.drug) <> coalesce(later.drug_inn, later.drug)
        and later.start_date_precision = 'day'
        and later.start_date >= partial_stops.end_date_earliest
        and later.start_date <= partial_stops.end_date_latest
        and later.start_date >= partial_stops.start_date
    group by
        partial_stops.cohort,
        partial_stops.source_file,
        partial_stops.source_sheet,
        partial_stops.source_row
),

treatment_exposures as (
    select
        patient_dates.patient_key,
        treatments.drug_inn,
        treatments.start_date,
        treatments.start_date_precision,
        treatments.start_date_latest,
        case
            when treatments.end_date is null or treatments.end_date_precision = 'day' then treatments.end_date
            else greatest(
                treatments.end_date_earliest,
                least(
                    treatments.end_date,
                    switches.switch_date,
                    patient_dates.last_contact_date,
                    patient_dates.death_date
                )
            )
        end as end_date,
        'treatment' as origin
    from treatments
    left join switches
        on treatments.cohort = switches.cohort
        and treatments.source_file = switches.source_file
        and treatments.source_sheet = switches.source_sheet
        and treatments.source_row = switches.source_row
    inner join patient_dates
        on treatments.cohort = patient_dates.cohort and treatments.patient_id = patient_dates.patient_id
),

infusion_exposures as (
    select
        patient_dates.patient_key,
        infusions.drug_inn,
        infusions.infusion_date as start_date,
        infusions.infusion_date_precision as start_date_precision,
        infusions.infusion_date_latest as start_date_latest,
        infusions.infusion_date as end_date,
        'infusion' as origin
    from infusions
    inner join patient_dates
        on infusions.cohort = patient_dates.cohort and infusions.patient_id = patient_dates.patient_id
),

exposures as (
    select * from treatment_exposures
    union all
    select * from infusion_exposures
),

final as (
    select
        exposures.patient_key,
        exposures.drug_inn,
        case
            when drugs.inn is null then 'UNMAPPED'
            when drugs.is_dmt then drugs.drug_class
            -- corticosteroids and symptomatic drugs are treatments, not disease-modifying ones
            else 'NOT_DMD'
        end as drug_class,
        drugs.inn is null as is_unmapped,
        coalesce(
            exposures.drug_inn = '{{ var("index_drug") }}' or drugs.drug_class = '{{ var("index_drug") }}',
            false
        ) as is_index_therapy,
        exposures.start_date,
        exposures.start_date_precision,
        exposures.start_date_latest,
        -- a stop before its own start is a fault of the record; the exposure then is its first day
        case when exposures.end_date < exposures.start_date then exposures.start_date else exposures.end_date end
            as end_date,
        exposures.origin
    from exposures
    left join drugs on exposures.drug_inn = drugs.inn
)

select * from final
