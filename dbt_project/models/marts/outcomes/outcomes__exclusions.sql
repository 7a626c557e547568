{# One row for every patient and metric that lacks the patient, with the reason. Rates under a second end rule are
   listed only where they are missing for that rule alone. #}

with

measures as (
    select * from {{ ref('int_outcomes__patient_measures') }}
),

windows as (
    select patient_key, epoch_key, {{ rate_null_reason('exposure_days', 'has_relapses_table') }} as reason
    from {{ ref('int_outcomes__epoch_windows') }}
),

epoch_names as (
    select * from {{ ref('int_outcomes__epoch_names') }}
),

epoch_rows as (
    select epochs.epoch, epoch_names.epoch_key
    from {{ ref('int_outcomes__epochs') }} as epochs
    left join epoch_names on epochs.epoch = epoch_names.epoch and epoch_names.is_rule_in_use
    where epochs.anchor <> 'course_n'
),

observed as (
    select * from {{ ref('int_outcomes__observed_epochs') }}
),

landmarks as (
    select * from {{ ref('int_outcomes__landmarks') }}
),

pairs as (
    select * from {{ ref('int_outcomes__epoch_pairs') }}
    where metric = 'arr_per_year'
),

untreated as (
    select
        cohort,
        patient_id,
        'all' as metric,
        cast(null as string) as time_point,
        cast(null as string) as end_rule,
        case when is_index_before_birth then 'index_before_birth' else 'no_index_therapy' end as reason
    from measures
    where index_date is null
),

treated as (
    select * from measures
    where index_date is not null
),

baseline_missing as (
    select cohort, patient_id, 'baseline_edss' as metric, 'baseline' as time_point, 'no_baseline_edss' as reason
    from treated
    where baseline_edss is null

    union all

    select cohort, patient_id, 'last_edss', 'last', 'no_follow_up_edss'
    from treated
    where last_edss is null

    union all

    select cohort, patient_id, 'last_stable_edss', 'last', 'no_stable_follow_up_edss'
    from treated
    where last_stable_edss is null

    union all

    select
        cohort, patient_id, 'edss_change', 'last',
        case when baseline_edss is null then 'no_baseline_edss' else 'no_follow_up_edss' end
    from treated
    where edss_change is null

    union all

    select cohort, patient_id, 'age_at_index', 'baseline', 'no_birth_date'
    from treated
    where age_at_index is null

    union all

    select cohort, patient_id, 'disease_duration', 'baseline', 'no_onset_date'
    from treated
    where disease_duration_years is null

    union all

    select cohort, patient_id, 'follow_up', 'last', 'no_follow_up'
    from treated
    where follow_up_days is null

    union all

    {% for severity in ['msss', 'armss'] %}
    select
        cohort, patient_id, 'baseline_{{ severity }}', 'baseline', coalesce(baseline_{{ severity }}_null_reason, 'no_baseline_edss')
    from treated
    where baseline_{{ severity }} is null

    union all

    select cohort, patient_id, 'last_{{ severity }}', 'last', coalesce(last_{{ severity }}_null_reason, 'no_follow_up_edss')
    from treated
    where last_{{ severity }} is null

    union all

    select
        cohort, patient_id, '{{ severity }}_change', 'last',
        case
            when baseline_edss is null then 'no_baseline_edss'
            when last_edss is null then 'no_follow_up_edss'
            else coalesce(baseline_{{ severity }}_null_reason, last_{{ severity }}_null_reason)
        end
    from treated
    where {{ severity }}_change is null

    union all

    {% endfor %}
    select
        cohort, patient_id, 'edss_change', 'last_stable',
        case when baseline_edss is null then 'no_baseline_edss' else 'no_stable_follow_up_edss' end
    from treated
    where stable_edss_change is null

    union all

    select
        cohort, patient_id, 'without_regular_corticosteroids', cast(null as string),
        case when regular_corticosteroids then 'regular_corticosteroids' else 'corticosteroids_not_stated' end
    from treated
    where coalesce(regular_corticosteroids, true)

    union all

    select cohort, patient_id, 'edss_change', landmark, null_reason
    from landmarks
    where null_reason is not null
),

in_use as (
    select windows.patient_key, windows.epoch_key, windows.reason
    from windows
    inner join epoch_names on windows.epoch_key = epoch_names.epoch_key
    where epoch_names.is_rule_in_use
),

rates_without as (
    select patient_key, epoch_key, reason
    from in_use
    where reason is not null

    union all

    select windows.patient_key, windows.epoch_key, windows.reason
    from windows
    inner join epoch_names on windows.epoch_key = epoch_names.epoch_key
    left join in_use
        on windows.patient_key = in_use.patient_key and epoch_names.epoch_key_in_use = in_use.epoch_key
    where not epoch_names.is_rule_in_use
        and windows.reason is not null
        and in_use.reason is null
),

rates_missing as (
    select
        measures.cohort,
        measures.patient_id,
        'arr_per_year' as metric,
        epoch_names.epoch as time_point,
        epoch_names.end_rule,
        rates_without.reason
    from rates_without
    inner join epoch_names on rates_without.epoch_key = epoch_names.epoch_key
    inner join measures on rates_without.patient_key = measures.patient_key
),

-- epochs that a patient has no anchor for: no enrolment, no onset date, not of that cohort
without_anchor as (
    select
        treated.cohort,
        treated.patient_id,
        'arr_per_year' as metric,
        epoch_rows.epoch as time_point,
        '{{ var("end_rule") }}' as end_rule,
        'no_anchor' as reason
    from treated
    cross join epoch_rows
    left join in_use
        on treated.patient_key = in_use.patient_key
        and epoch_rows.epoch_key = in_use.epoch_key
    where in_use.patient_key is null
),

-- what summaries give by epoch beside rates
epochs_missing as (
    select
        treated.cohort,
        treated.patient_id,
        case when epoch_names.epoch like 'year_%' then 'edss_change' else 'new_t2_per_scan' end as metric,
        epoch_names.epoch as time_point,
        epoch_names.end_rule,
        case
            when epoch_names.epoch like 'year_%' and treated.baseline_edss is null then 'no_baseline_edss'
            when observed.patient_key is null then 'no_exposure'
            when epoch_names.epoch like 'year_%' then 'no_edss_in_epoch'
            else 'no_scan_in_epoch'
        end as reason
    from in_use
    inner join epoch_names on in_use.epoch_key = epoch_names.epoch_key
    inner join treated on in_use.patient_key = treated.patient_key
    left join observed
        on in_use.patient_key = observed.patient_key and in_use.epoch_key = observed.epoch_key
    where epoch_names.epoch like 'year_%' and (observed.edss_reached is null or treated.baseline_edss is null)
        or (epoch_names.epoch like 'nct%' or epoch_names.epoch in ('pre_index_24m', 'post_index'))
        and observed.new_t2_per_scan is null
),

pairs_missing as (
    select
        treated.cohort,
        treated.patient_id,
        'arr_before_after' as metric,
        concat(pairs.before_epoch, '_to_', pairs.after_epoch) as time_point,
        '{{ var("end_rule") }}' as end_rule,
        case
            when before_epochs.patient_key is null or after_epochs.patient_key is null then 'no_anchor'
            else coalesce(before_epochs.reason, after_epochs.reason)
        end as reason
    from treated
    cross join pairs
    left join in_use as before_epochs
        on treated.patient_key = before_epochs.patient_key
        and pairs.before_epoch_key = before_epochs.epoch_key
    left join in_use as after_epochs
        on treated.patient_key = after_epochs.patient_key
        and pairs.after_epoch_key = after_epochs.epoch_key
    where before_epochs.patient_key is null
        or after_epochs.patient_key is null
        or before_epochs.reason is not null
        or after_epochs.reason is not null
),

final as (
    select cohort, patient_id, metric, time_point, end_rule, reason from untreated
    union all
    select cohort, patient_id, metric, time_point, cast(null as string) as end_rule, reason from baseline_missing
    union all
    select cohort, patient_id, metric, time_point, end_rule, reason from rates_missing
    union all
    select cohort, patient_id, metric, time_point, end_rule, reason from without_anchor
    union all
    select cohort, patient_id, metric, time_point, end_rule, reason from epochs_missing
    union all
    select cohort, patient_id, metric, time_point, end_rule, reason from pairs_missing
)

select * from final
