{# Stretches on a drug that begin before the screening day: treatment records, infusion days, steroids given for
   a relapse, regular steroids. Therapy that starts on the screening day is the trial's, not the past's. #}

with

records as (
    select * from {{ ref('int_trials__records') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

treatments as (
    select
        patient_number,
        table_name,
        record_number,
        concept as drug_inn,
        screened_on,
        from_earliest,
        from_latest,
        to_earliest,
        to_latest,
        false as is_doubtful
    from records
    where table_name in ('treatments', 'infusions')
),

relapse_steroids as (
    select
        patient_number,
        table_name,
        record_number,
        'corticosteroid' as drug_inn,
        screened_on,
        from_earliest,
        from_latest,
        from_earliest as to_earliest,
        from_latest as to_latest,
        status = 'steroids unknown' as is_doubtful
    from records
    where table_name = 'relapses' and status <> 'no steroids'
),

regular_steroids as (
    select
        patient_number,
        'patients' as table_name,
        cast(1 as bigint) as record_number,
        'corticosteroid' as drug_inn,
        screened_on,
        {{ add_days('screened_on', -1) }} as from_earliest,
        {{ add_days('screened_on', -1) }} as from_latest,
        cast(null as date) as to_earliest,
        cast(null as date) as to_latest,
        false as is_doubtful
    from patients
    where regular_corticosteroids and screened_on is not null
),

exposures as (
    select * from treatments
    union all
    select * from relapse_steroids
    union all
    select * from regular_steroids
),

final as (
    select
        patient_number,
        table_name,
        record_number,
        drug_inn,
        screened_on,
        from_earliest,
        from_latest,
        -- going on, or stopped after screening: until screening
        least(coalesce(to_earliest, screened_on), screened_on) as to_earliest,
        least(coalesce(to_latest, screened_on), screened_on) as to_latest,
        is_doubtful or drug_inn = '?' or from_latest >= screened_on as is_doubtful
    from exposures
    where from_earliest < screened_on
)

select * from final
