{# Every treated patient's group in each grouping, and the patient's three strata: those of a stratum are in the same
   groups of the groupings that make it. Strata are a few hundred whatever the number of patients, so that what groups
   need is counted for strata first. #}
{% set strata = strata_of_groups() %}

with

patients as (
    select * from {{ ref('int_outcomes__patient_measures') }}
    where index_date is not null
),

bands as (
    select * from {{ ref('group_bands') }}
),

labelled as (
    select
        patients.patient_key,
        patients.cohort,
        'all' as everyone,
        case patients.regular_corticosteroids
            when true then 'with_regular_corticosteroids'
            when false then 'without_regular_corticosteroids'
            else 'unknown'
        end as regular_corticosteroids,
        coalesce(patients.prospective_cohort, 'not_enrolled') as prospective_cohort,
        patients.prior_dmd_class,
        patients.prior_dmd_class_24m,
        coalesce(patients.prior_ifnga_24m, false) as prior_ifnga_24m,
        coalesce(patients.prior_fty_24m, false) as prior_fty_24m,
        coalesce(patients.prior_nat_24m, false) as prior_nat_24m,
        coalesce(patients.prior_other_24m, false) as prior_other_24m,
        coalesce(patients.is_nat_fty_index, false) as is_nat_fty_index,
        coalesce(patients.disease_course_at_index, 'unknown') as disease_course,
        concat('courses_', cast(patients.courses as string)) as courses_received,
        patients.sex,
        coalesce(age_bands.group_name, 'unknown') as age_band,
        coalesce(edss_bands.group_name, 'unknown') as baseline_edss_band,
        case
            when patients.pre_index_arr_per_year > 2 then 'over_2_per_year'
            when patients.pre_index_arr_per_year <= 2 then 'up_to_2_per_year'
            else 'unknown'
        end as pre_index_arr_over_2,
        {% for months in [12, 15] %}
        case patients.is_followed_over_{{ months }}_months
            when true then 'over_{{ months }}_months'
            when false then 'up_to_{{ months }}_months'
            else 'unknown'
        end as follow_up_over_{{ months }}_months,
        {% endfor %}
        coalesce(patients.edss_change_class, 'unknown') as edss_change_class
    from patients
    left join bands as age_bands
        on age_bands.grouping = 'age_band'
        and patients.age_at_index >= coalesce(age_bands.lower_value, -1000)
        and patients.age_at_index < coalesce(age_bands.upper_value, 1000)
    left join bands as edss_bands
        on edss_bands.grouping = 'baseline_edss_band'
        and patients.baseline_edss >= coalesce(edss_bands.lower_value, -1000)
        and patients.baseline_edss < coalesce(edss_bands.upper_value, 1000)
),

final as (
    select
        *,
        {% for groupings in strata %}
        cast(
            dense_rank() over (order by cohort{% for grouping, group_name, label in groupings %}, {{ label }}{% endfor %}) * 10
            + {{ loop.index }} as bigint
        ) as stratum_{{ loop.index }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from labelled
)

select * from final
