{# Anti-drug antibodies of treated patients with any sample. Treatment-emergent: negative at baseline and positive later,
   or a later titre of at least 4 times the baseline's; null without a baseline (latest sample on or before index) and
   a later sample: those patients are not in the denominator. A titre of 0 or one below a limit is negative. #}

with

laboratory as (
    select * from {{ ref('stg_cohort__laboratory') }}
),

tests as (
    select * from {{ ref('antidrug_antibody_tests') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

written_tests as (
    select distinct test
    from {{ ref('stg_cohort__laboratory') }}
),

named as (
    select written_tests.test
    from written_tests
    inner join tests on replace(replace(lower(trim(written_tests.test)), ' ', '_'), '-', '_') = tests.test
),

samples as (
    select
        index_dates.patient_key,
        laboratory.sampled_on,
        index_dates.index_date,
        max(
            case
                when laboratory.value > 0 and coalesce(laboratory.comparator, '') not in ('<', '<=')
                    then laboratory.value
                else 0
            end
        ) as titre
    from laboratory
    inner join named on laboratory.test = named.test
    inner join index_dates
        on laboratory.cohort = index_dates.cohort and laboratory.patient_id = index_dates.patient_id
    where index_dates.index_date is not null
        and laboratory.sampled_on is not null
        and laboratory.value is not null
    group by index_dates.patient_key, laboratory.sampled_on, index_dates.index_date
),

ranked as (
    select
        *,
        sampled_on <= index_date as is_before,
        row_number() over (
            partition by patient_key, sampled_on <= index_date order by sampled_on desc
        ) as last_rank
    from samples
),

summed as (
    select
        patient_key,
        max(case when is_before and last_rank = 1 then titre end) as baseline_titre,
        cast(sum(case when is_before then 0 else 1 end) as bigint) as later_samples,
        max(case when not is_before then titre end) as peak_titre,
        min(case when not is_before and titre > 0 then sampled_on end) as first_positive_date
    from ranked
    group by patient_key
),

final as (
    select
        index_dates.cohort,
        index_dates.patient_id,
        case
            when baseline_titre is null then 'no_baseline'
            when baseline_titre > 0 then 'positive'
            else 'negative'
        end as baseline_status,
        summed.baseline_titre,
        summed.later_samples,
        case
            when baseline_titre is null or later_samples = 0 then null
            when baseline_titre = 0 then peak_titre > 0
            else peak_titre >= 4 * baseline_titre
        end as is_treatment_emergent,
        summed.first_positive_date,
        summed.peak_titre
    from summed
    inner join index_dates on summed.patient_key = index_dates.patient_key
)

select * from final
