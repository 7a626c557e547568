{# Prior disease-modifying drugs: one exclusive class per patient (latest end before index; a drug open or
   overlapping at index ends at index; ties by the latest start, then NAT, FTY, IFNGA, OTHER), flags per class
   within the look-back, and the sequence natalizumab, fingolimod, index. For the untreated the last day under
   observation stands for the index, so that everyone has one class. #}

with

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

observation as (
    select * from {{ ref('int_outcomes__observation') }}
),

exposures as (
    select * from {{ ref('int_outcomes__drug_exposures') }}
),

histories as (
    select patient_key, min(start_date) as first_start
    from exposures
    where origin = 'treatment'
    group by patient_key
),

reference_dates as (
    select
        index_dates.patient_key,
        index_dates.cohort,
        index_dates.patient_id,
        coalesce(index_dates.index_date, observation.observed_to) as reference_date,
        -- any treatment record, that of the index therapy included: only then is an empty past a known one
        histories.patient_key is not null as has_history
    from index_dates
    inner join observation
        on index_dates.patient_key = observation.patient_key
    left join histories
        on index_dates.patient_key = histories.patient_key
),

prior_exposures as (
    select
        exposures.patient_key,
        case
            when exposures.drug_class in ('NAT', 'FTY', 'IFNGA') then exposures.drug_class
            else 'OTHER'
        end as prior_class,
        exposures.is_unmapped,
        exposures.start_date,
        exposures.end_date,
        least(coalesce(exposures.end_date, reference_dates.reference_date), reference_dates.reference_date)
            as effective_end,
        coalesce(
            exposures.end_date
            >= {{ add_months('reference_dates.reference_date', '-' ~ var('prior_dmd_window_months')) }},
            true
        ) as is_in_window
    from exposures
    inner join reference_dates
        on exposures.patient_key = reference_dates.patient_key
    where exposures.is_index_therapy = false
        and exposures.drug_class <> 'NOT_DMD'
        and exposures.start_date < reference_dates.reference_date
),

ranked as (
    select
        *,
        row_number() over (
            partition by patient_key
            order by
                effective_end desc,
                start_date desc,
                case prior_class when 'NAT' then 1 when 'FTY' then 2 when 'IFNGA' then 3 else 4 end
        ) as recency
    from prior_exposures
),

last_fingolimod as (
    select
        patient_key,
        max(start_date) as fty_start,
        max(effective_end) as fty_end
    from prior_exposures
    where prior_class = 'FTY' and is_in_window
    group by patient_key
),

sequences as (
    select
        last_fingolimod.patient_key,
        max(
            case
                when prior_exposures.prior_class = 'NAT' and prior_exposures.is_in_window
                    and prior_exposures.end_date <= last_fingolimod.fty_start
                    then 1
                else 0
            end
        ) = 1
        and max(
            case
                when prior_exposures.prior_class <> 'FTY'
                    and prior_exposures.effective_end > last_fingolimod.fty_end
                    then 1
                -- natalizumab again after fingolimod began is no transition from one to the other
                when prior_exposures.prior_class = 'NAT'
                    and coalesce(prior_exposures.end_date > last_fingolimod.fty_start, true)
                    then 1
                else 0
            end
        ) = 0 as is_nat_fty_index
    from last_fingolimod
    inner join prior_exposures
        on last_fingolimod.patient_key = prior_exposures.patient_key
    group by last_fingolimod.patient_key
),

flags as (
    select
        patient_key,
        max(case when recency = 1 then prior_class end) as last_class,
        max(case when recency = 1 and is_in_window then prior_class end) as last_class_24m,
        max(case when recency = 1 and is_unmapped then 1 else 0 end) = 1 as is_prior_dmd_unmapped,
        max(case when prior_class = 'IFNGA' and is_in_window then 1 else 0 end) = 1 as prior_ifnga_24m,
        max(case when prior_class = 'FTY' and is_in_window then 1 else 0 end) = 1 as prior_fty_24m,
        max(case when prior_class = 'NAT' and is_in_window then 1 else 0 end) = 1 as prior_nat_24m,
        max(case when prior_class = 'OTHER' and is_in_window then 1 else 0 end) = 1 as prior_other_24m
    from ranked
    group by patient_key
),

final as (
    select
        reference_dates.patient_key,
        reference_dates.cohort,
        reference_dates.patient_id,
        case
            when flags.last_class is not null then flags.last_class
            when reference_dates.has_history then 'NONE'
            else 'UNKNOWN'
        end as prior_dmd_class,
        case
            when flags.last_class_24m is not null then flags.last_class_24m
            when reference_dates.has_history or flags.last_class is not null then 'NONE'
            else 'UNKNOWN'
        end as prior_dmd_class_24m,
        coalesce(flags.is_prior_dmd_unmapped, false) as is_prior_dmd_unmapped,
        case when reference_dates.has_history then coalesce(flags.prior_ifnga_24m, false)
            else flags.prior_ifnga_24m end as prior_ifnga_24m,
        case when reference_dates.has_history then coalesce(flags.prior_fty_24m, false)
            else flags.prior_fty_24m end as prior_fty_24m,
        case when reference_dates.has_history then coalesce(flags.prior_nat_24m, false)
            else flags.prior_nat_24m end as prior_nat_24m,
        case when reference_dates.has_history then coalesce(flags.prior_other_24m, false)
            else flags.prior_other_24m end as prior_other_24m,
        case when reference_dates.has_history or flags.patient_key is not null
            then coalesce(sequences.is_nat_fty_index, false) end as is_nat_fty_index
    from reference_dates
    left join flags
        on reference_dates.patient_key = flags.patient_key
    left join sequences
        on reference_dates.patient_key = sequences.patient_key
)

select * from final
