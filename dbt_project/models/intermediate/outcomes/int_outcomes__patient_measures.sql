{# One row per patient with what stands for the patient: index, cohort, prior drugs, EDSS and severity at baseline
   and follow-up. Groups and summaries are read from here. #}

with

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

observation as (
    select * from {{ ref('int_outcomes__observation') }}
),

prospective_cohorts as (
    select * from {{ ref('int_outcomes__prospective_cohorts') }}
),

prior_dmd as (
    select * from {{ ref('int_outcomes__prior_dmd') }}
),

endpoints as (
    select * from {{ ref('int_outcomes__edss_endpoints') }}
),

severity as (
    select * from {{ ref('int_outcomes__severity') }}
),

pre_index as (
    select epochs.*
    from {{ ref('int_outcomes__patient_epochs') }} as epochs
    inner join {{ ref('int_outcomes__epoch_names') }} as names on epochs.epoch_key = names.epoch_key
    where names.epoch = 'pre_index_24m' and names.is_rule_in_use
),

joined as (
    select
        patient_dates.patient_key,
        patient_dates.cohort,
        patient_dates.patient_id,
        index_dates.index_date,
        index_dates.index_drug,
        index_dates.is_index_conflict,
        index_dates.is_index_before_birth,
        prospective_cohorts.prospective_cohort,
        prospective_cohorts.courses,
        prospective_cohorts.courses_before_enrolment,
        coalesce(
            prospective_cohorts.prospective_cohort = 'experienced'
            and prospective_cohorts.courses_before_enrolment = 1,
            false
        ) as is_experienced_with_one_course,
        coalesce(patient_dates.sex, 'unknown') as sex,
        {{ completed_years('patient_dates.birth_date', 'index_dates.index_date') }} as age_at_index,
        cast({{ completed_years('patient_dates.onset_date', 'index_dates.index_date') }} as double)
            as disease_duration_years,
        case
            when patient_dates.course = 'SP' and patient_dates.progression_onset_date > index_dates.index_date
                then 'RR'
            else patient_dates.course
        end as disease_course_at_index,
        patient_dates.onset_date,
        patient_dates.onset_date_precision as onset_precision,
        patient_dates.regular_corticosteroids,
        patient_dates.is_nmo,
        patient_dates.is_invented,
        prior_dmd.prior_dmd_class,
        prior_dmd.prior_dmd_class_24m,
        prior_dmd.is_prior_dmd_unmapped,
        prior_dmd.prior_ifnga_24m,
        prior_dmd.prior_fty_24m,
        prior_dmd.prior_nat_24m,
        prior_dmd.prior_other_24m,
        prior_dmd.is_nat_fty_index,
        observation.observed_from,
        observation.observed_to,
        observation.last_day,
        observation.is_history_assumed,
        case when observation.last_day >= index_dates.index_date
            then {{ days_between('index_dates.index_date', 'observation.last_day') }} end as follow_up_days,
        case when observation.last_day >= index_dates.index_date
            then observation.last_day > {{ add_months('index_dates.index_date', 12) }} end as is_followed_over_12_months,
        case when observation.last_day >= index_dates.index_date
            then observation.last_day > {{ add_months('index_dates.index_date', 15) }} end as is_followed_over_15_months,
        pre_index.arr_per_year as pre_index_arr_per_year,
        pre_index.arr_null_reason as pre_index_arr_null_reason,
        endpoints.baseline_edss,
        endpoints.baseline_edss_date,
        endpoints.baseline_is_relapse_visit,
        endpoints.last_edss,
        endpoints.last_edss_date,
        endpoints.last_stable_edss,
        endpoints.last_stable_edss_date,
        endpoints.best_edss,
        endpoints.worst_edss,
        coalesce(endpoints.edss_visits_after_index, 0) as edss_visits_after_index,
        {{ days_between('index_dates.index_date', 'endpoints.last_edss_date') }} as edss_follow_up_days,
        endpoints.last_edss - endpoints.baseline_edss as edss_change,
        endpoints.last_stable_edss - endpoints.baseline_edss as stable_edss_change
    from patient_dates
    left join index_dates
        on patient_dates.patient_key = index_dates.patient_key
    left join observation
        on patient_dates.patient_key = observation.patient_key
    left join prospective_cohorts
        on patient_dates.patient_key = prospective_cohorts.patient_key
    left join prior_dmd
        on patient_dates.patient_key = prior_dmd.patient_key
    left join endpoints
        on patient_dates.patient_key = endpoints.patient_key
    left join pre_index
        on patient_dates.patient_key = pre_index.patient_key
),

final as (
    select
        joined.*,
        case
            when joined.edss_change < 0 then 'improved'
            when joined.edss_change > 0 then 'worsened'
            when joined.edss_change = 0 then 'stable'
        end as edss_change_class,
        baseline.msss as baseline_msss,
        last_visit.msss as last_msss,
        last_visit.msss - baseline.msss as msss_change,
        baseline.msss_null_reason as baseline_msss_null_reason,
        last_visit.msss_null_reason as last_msss_null_reason,
        baseline.msss_recorded,
        last_visit.msss_recorded as last_msss_recorded,
        baseline.msss_recorded - baseline.msss as msss_recorded_difference,
        baseline.armss as baseline_armss,
        last_visit.armss as last_armss,
        last_visit.armss - baseline.armss as armss_change,
        baseline.armss_null_reason as baseline_armss_null_reason,
        last_visit.armss_null_reason as last_armss_null_reason,
        baseline.ped_msss,
        last_visit.ped_msss as last_ped_msss,
        last_visit.ped_msss - baseline.ped_msss as ped_msss_change,
        baseline.ped_msss_null_reason as baseline_ped_msss_null_reason
    from joined
    left join severity as baseline
        on joined.patient_key = baseline.patient_key
        and joined.baseline_edss_date = baseline.visit_date
    left join severity as last_visit
        on joined.patient_key = last_visit.patient_key
        and joined.last_edss_date = last_visit.visit_date
)

select * from final
