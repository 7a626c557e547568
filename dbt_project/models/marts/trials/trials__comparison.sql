with

results as (
    select * from {{ ref('int_trials__posted_results') }}
),

measures as (
    select nct_id, ordinal, description
    from {{ ref('stg_registry__outcome_measures') }}
),

-- what the trial says about its own value, in one text
posted as (
    select
        results.*,
        lower(concat_ws(' ', results.measure, measures.description, results.unit)) as words
    from results
    left join measures
        on results.nct_id = measures.nct_id and results.outcome_ordinal = measures.ordinal
),

windows as (
    select * from {{ ref('int_trials__comparison_windows') }}
),

studies as (
    select * from {{ ref('int_trials__studies') }}
    where versions_back = 0
),

verdicts as (
    select * from {{ ref('int_trials__verdicts') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

cohorts as (
    select distinct cohort
    from patients
),

candidates as (
    select
        patients.cohort,
        verdicts.study_number,
        verdicts.patient_number,
        verdicts.verdict
    from verdicts
    inner join patients on verdicts.patient_number = patients.patient_number
    where verdicts.verdict in ('eligible', 'eligible_on_evaluable')
),

candidate_counts as (
    select
        cohort,
        study_number,
        sum(case when verdict = 'eligible' then 1 else 0 end) as eligible,
        sum(case when verdict = 'eligible_on_evaluable' then 1 else 0 end) as eligible_on_evaluable
    from candidates
    group by cohort, study_number
),

measured as (
    select
        candidates.cohort,
        candidates.study_number,
        windows.outcome_kind,
        windows.start_months,
        windows.start_days,
        windows.end_months,
        windows.end_days,
        case when windows.outcome_kind = 'arr' and windows.exposure_days >= {{ var('minimum_exposure_days') }}
            then windows.relapses / (windows.exposure_days / 365.25e0)
            else windows.edss_change end as patient_value,
        case when windows.exposure_days > 0 then windows.relapses end as relapses,
        case when windows.exposure_days > 0 then windows.exposure_days / 365.25e0 end as years
    from candidates
    inner join windows on candidates.patient_number = windows.patient_number
    -- floating point sums in one order: equal when built again
    order by candidates.study_number, candidates.patient_number
),

cohort_values as (
    select
        cohort,
        study_number,
        outcome_kind,
        start_months,
        start_days,
        end_months,
        end_days,
        count(patient_value) as patients_with_value,
        sum(case when years > 0 then 1 else 0 end) as patients_exposed,
        avg(patient_value) as mean_value,
        {{ median('patient_value') }} as median_value,
        stddev_samp(patient_value) as sd_value,
        cast(sum(relapses) as double) as relapses,
        cast(sum(years) as double) as years
    from measured
    group by cohort, study_number, outcome_kind, start_months, start_days, end_months, end_days
),

paired as (
    select
        cohorts.cohort,
        posted.*,
        -- a rate posted per 100 patient-years is one per year
        case when lower(posted.unit) like '%100%' then posted.value / 100 else posted.value end as yearly_value,
        coalesce(candidate_counts.eligible, 0) as eligible,
        coalesce(candidate_counts.eligible_on_evaluable, 0) as eligible_on_evaluable,
        cohort_values.patients_with_value,
        cohort_values.patients_exposed,
        cohort_values.mean_value,
        cohort_values.median_value,
        cohort_values.sd_value,
        cohort_values.relapses,
        cohort_values.years,
        upper(coalesce(posted.param_type, '')) as parameter,
        -- a rate posted as one number is pooled; as a mean or median over patients it is compared with the same
        posted.outcome_kind = 'arr' and upper(coalesce(posted.param_type, '')) in ('NUMBER', 'LEAST_SQUARES_MEAN', 'GEOMETRIC_MEAN',
            'GEOMETRIC_LEAST_SQUARES_MEAN', '') as is_pooled,
        posted.words like '%unadjusted%' or posted.words like '%not adjusted%' or posted.words like '%without adjustment%'
            as is_said_unadjusted,
        upper(coalesce(posted.param_type, '')) like '%LEAST_SQUARES%'
        or replace(replace(replace(posted.words, 'unadjusted', ''), 'not adjusted', ''), 'without adjustment', '') like '%adjust%'
        or posted.words like '%negative binomial%'
        or posted.words like '%poisson regression%'
        or posted.words like '%ancova%'
        or posted.words like '%analysis of covariance%'
        or posted.words like '%mixed model%'
        or posted.words like '%mmrm%' as is_adjusted
    from posted
    inner join studies on posted.nct_id = studies.nct_id
    cross join cohorts
    left join candidate_counts
        on cohorts.cohort = candidate_counts.cohort and studies.study_number = candidate_counts.study_number
    left join cohort_values
        on cohorts.cohort = cohort_values.cohort
        and studies.study_number = cohort_values.study_number
        and posted.outcome_kind = cohort_values.outcome_kind
        and posted.start_months = cohort_values.start_months
        and posted.start_days = cohort_values.start_days
        and posted.end_months = cohort_values.end_months
        and posted.end_days = cohort_values.end_days
        and posted.is_ambiguous = false
        and posted.is_unregistered_time = false
),

valued as (
    select
        *,
        case when is_pooled then patients_exposed else patients_with_value end as analysed,
        case
            when is_pooled then case when years > 0 then relapses / years end
            when parameter = 'MEDIAN' then median_value
            else mean_value
        end as cohort_value,
        -- Byar's approximation to the exact Poisson interval: for three events its lower bound is within 3 % of the exact
        -- one and its upper bound within 1 %; for one event the lower bound is half the exact one
        case when is_pooled and years > 0 and relapses > 0
            then relapses * power(1 - 1 / (9 * relapses) - 1.959964e0 / (3 * sqrt(relapses)), 3) / years
            when is_pooled and years > 0 then 0 end as rate_low,
        case when is_pooled and years > 0
            then (relapses + 1) * power(1 - 1 / (9 * (relapses + 1)) + 1.959964e0 / (3 * sqrt(relapses + 1)), 3) / years end as rate_high
    from paired
),

judged as (
    select
        *,
        concat_ws(
            '; ',
            case when yearly_value is null then 'the trial posted no number (' || coalesce(raw_value, 'nothing') || ')' end,
            case when parameter in ('COUNT_OF_PARTICIPANTS', 'COUNT_OF_UNITS')
                or lower(coalesce(unit, '')) like '%percent%' or lower(coalesce(unit, '')) like '%participants%'
                then 'the trial posted a number of participants, not a ' || case when outcome_kind = 'arr' then 'rate' else 'change' end end,
            case when has_window is null then 'the posted measure is not among the registered outcomes with a time frame' end,
            case when has_window = false then 'its time frame has no window that a cohort can be put to' end,
            case when is_ambiguous then 'several time frames, and no title says which' end,
            case when is_unregistered_time then 'its time point is not a registered one' end,
            case when eligible + eligible_on_evaluable = 0 then 'nobody in the cohort is eligible' end,
            case when eligible + eligible_on_evaluable > 0 and has_window and is_ambiguous = false and is_unregistered_time = false
                and coalesce(analysed, 0) < {{ var('comparison_minimum_patients') }}
                then 'fewer than {{ var("comparison_minimum_patients") }} eligible patients have a value in this window' end
        ) as obstacles
    from valued
),

final as (
    select
        cohort,
        nct_id,
        arm_title,
        outcome_kind,
        measure,
        coalesce(epoch_label, time_point) as epoch,
        quote as epoch_quote,
        cast(outcome_ordinal as bigint) as outcome_ordinal,
        cast(class_ordinal as bigint) as class_ordinal,
        cast(category_ordinal as bigint) as category_ordinal,
        group_id,
        class_title,
        category,
        cast(participants as bigint) as trial_n,
        cast(yearly_value as double) as trial_value,
        param_type as trial_parameter,
        unit as trial_unit,
        case
            when dispersion_type is null then null
            else dispersion_type || coalesce(' ' || dispersion_raw, '')
                || coalesce(' ' || lower_limit_raw || ' to ' || upper_limit_raw, '')
        end as trial_dispersion,
        cast(dispersion_value as double) as trial_dispersion_value,
        cast(lower_limit as double) as trial_lower_limit,
        cast(upper_limit as double) as trial_upper_limit,
        cast(eligible as bigint) as cohort_n_eligible,
        cast(eligible_on_evaluable as bigint) as cohort_n_eligible_on_evaluable,
        cast(coalesce(analysed, 0) as bigint) as cohort_n_analysed,
        cast(cohort_value as double) as cohort_value,
        case when cohort_value is null then null when is_pooled then 'pooled rate' when parameter = 'MEDIAN' then 'median' else 'mean' end
            as cohort_parameter,
        case
            when cohort_value is null then null
            when is_pooled then '95% Confidence Interval ' || cast(round(rate_low, 3) as string) || ' to ' || cast(round(rate_high, 3) as string)
            when sd_value is not null then 'Standard Deviation ' || cast(round(sd_value, 3) as string)
        end as cohort_dispersion,
        cast(case when is_pooled then null else sd_value end as double) as cohort_sd,
        cast(rate_low as double) as cohort_lower_limit,
        cast(rate_high as double) as cohort_upper_limit,
        concat_ws(
            '; ',
            case
                when outcome_kind = 'edss_change' then 'points from baseline'
                when words like '%100 %year%' or lower(unit) like '%100%' then 'posted per 100 patient-years, here per one'
                when words like '%patient-year%' or words like '%person-year%' or words like '%patient year%' or words like '%person year%'
                    or words like '%participant-year%' or words like '%subject-year%' then 'posted per patient-year'
                else 'posted per year'
            end,
            case
                when outcome_kind = 'edss_change' then null
                when is_pooled then 'the cohort''s is relapses over patient-years'
                when parameter = 'MEDIAN' then 'the cohort''s is the median of its patients'' yearly rates'
                else 'the cohort''s is the mean of its patients'' yearly rates'
            end,
            case
                when is_adjusted then 'the trial''s is adjusted by a model, the cohort''s is not'
                when is_said_unadjusted then 'both unadjusted'
                else 'the cohort''s is unadjusted, the trial does not say whether its own is'
            end
        ) as normalisation,
        obstacles = '' as is_comparable,
        case
            when obstacles <> '' then obstacles
            else concat_ws(
                '; ',
                'same measure and window in the patients who are eligible on what can be evaluated',
                case when is_adjusted then 'adjusted against unadjusted' end,
                case when lower(coalesce(arm_title, '')) not like '%{{ var("index_drug") }}%'
                    then 'the arm is not the cohort''s index therapy' end
            )
        end as reason
    from judged
)

select * from final
