{# Infusion days of the index therapy: several rows on one day are one day, their doses added. #}

with

infusions as (
    select * from {{ ref('stg_cohort__infusions') }}
),

drugs as (
    select * from {{ ref('drugs') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

index_infusions as (
    select infusions.*, patient_dates.patient_key
    from infusions
    inner join patient_dates
        on infusions.cohort = patient_dates.cohort and infusions.patient_id = patient_dates.patient_id
    left join drugs on infusions.drug_inn = drugs.inn
    where infusions.drug_inn = '{{ var("index_drug") }}' or drugs.drug_class = '{{ var("index_drug") }}'
),

final as (
    select
        patient_key,
        infusion_date,
        min(drug_inn) as drug_inn,
        cast(sum(dose_mg) as double) as dose_mg,
        min(reason) as reason,
        max(case when infusion_date_precision <> 'day' then 1 else 0 end) = 1 as is_partial
    from index_infusions
    where infusion_date is not null
    group by patient_key, infusion_date
)

select * from final
