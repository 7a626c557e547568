{# Rates of every group, epoch, end rule and relapse definition, both ways: pooled over everyone with exposure,
   and the distribution of the patients' own rates over those with the minimum exposure. Other definitions and minimum
   exposures than those in use are given for everyone together only, for the sensitivity table. #}
{% set exposures = [0, var('minimum_exposure_days'), 180, 365] | unique | list %}

with

epochs as (
    select * from {{ ref('int_outcomes__observed_epochs') }}
),

strata as (
    select * from {{ ref('int_outcomes__strata') }}
),

stratum_groups as (
    select * from {{ ref('int_outcomes__stratum_groups') }}
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

counts as (
    select * from {{ ref('int_outcomes__rate_counts') }}
),

minimum_exposures as (
    {% for days in exposures %}
    select cast({{ days }} as bigint) as minimum_exposure_days
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

epoch_names as (
    select * from {{ ref('int_outcomes__epoch_names') }}
),

definitions as (
    select * from {{ ref('relapse_definitions') }}
),

-- a group without exposure has its row too, and no rate
places as (
    select
        group_names.*,
        epoch_names.epoch_key,
        epoch_names.epoch,
        epoch_names.end_rule,
        definitions.relapse_definition,
        minimum_exposures.minimum_exposure_days
    from group_names
    cross join epoch_names
    cross join definitions
    cross join minimum_exposures
    where group_names.grouping = 'all'
        or (
            definitions.relapse_definition = '{{ var("relapse_definition") }}'
            and minimum_exposures.minimum_exposure_days = {{ var('minimum_exposure_days') }}
        )
),

stratum_sums as (
    select
        strata.stratum_key,
        epochs.epoch_key,
        cast(count(*) as bigint) as exposed,
        -- a cohort that delivered no relapses has none to count: its time is no time without relapse
        cast(count(epochs.relapses) as bigint) as patients,
        cast(sum(epochs.relapses) as bigint) as relapses,
        cast(sum(case when epochs.relapses is not null then epochs.exposure_days end) as bigint) as exposure_days,
        cast(count(epochs.arr_per_year) as bigint) as n,
        cast(count(case when epochs.arr_per_year = 0 then 1 end) as bigint) as n_without_relapse,
        avg(epochs.arr_per_year) as mean,
        var_pop(epochs.arr_per_year) as variance,
        min(epochs.arr_per_year) as min,
        max(epochs.arr_per_year) as max
    from strata
    inner join epochs on strata.patient_key = epochs.patient_key
    group by strata.stratum_key, epochs.epoch_key
),

group_sums as (
    select
        stratum_groups.group_key,
        stratum_sums.epoch_key,
        cast(sum(stratum_sums.exposed) as bigint) as exposed,
        cast(sum(stratum_sums.patients) as bigint) as patients,
        cast(sum(stratum_sums.relapses) as bigint) as relapses,
        cast(sum(stratum_sums.exposure_days) as bigint) as exposure_days,
        cast(sum(stratum_sums.n) as bigint) as n_patient_mean,
        cast(sum(stratum_sums.n_without_relapse) as bigint) as n_without_relapse,
        -- rounding of the sum must not carry it past the values that it is the mean of
        least(
            greatest(sum(stratum_sums.n * stratum_sums.mean) / sum(nullif(stratum_sums.n, 0)), min(stratum_sums.min)),
            max(stratum_sums.max)
        ) as arr_patient_mean_per_year,
        min(stratum_sums.min) as min,
        max(stratum_sums.max) as max
    from stratum_sums
    inner join stratum_groups on stratum_sums.stratum_key = stratum_groups.stratum_key
    group by stratum_groups.group_key, stratum_sums.epoch_key
),

-- within strata and between them
group_squares as (
    select
        group_sums.group_key,
        group_sums.epoch_key,
        sum(
            stratum_sums.n
            * (stratum_sums.variance + power(stratum_sums.mean - group_sums.arr_patient_mean_per_year, 2))
        ) as squares
    from stratum_sums
    inner join stratum_groups on stratum_sums.stratum_key = stratum_groups.stratum_key
    inner join group_sums
        on stratum_groups.group_key = group_sums.group_key and stratum_sums.epoch_key = group_sums.epoch_key
    where stratum_sums.n > 0
    group by group_sums.group_key, group_sums.epoch_key
),

sums_in_use as (
    select
        group_sums.*,
        case when group_sums.n_patient_mean > 1 then sqrt(group_squares.squares / (group_sums.n_patient_mean - 1)) end
            as sd
    from group_sums
    left join group_squares
        on group_sums.group_key = group_squares.group_key and group_sums.epoch_key = group_squares.epoch_key
),

-- where more than half are without a relapse their median is zero, and nothing needs to be put in order
unsettled as (
    select group_key, epoch_key
    from sums_in_use
    where 2 * n_without_relapse <= n_patient_mean
),

medians as (
    select
        memberships.group_key,
        epochs.epoch_key,
        {{ median('epochs.arr_per_year') }} as median
    from memberships
    inner join epochs on memberships.patient_key = epochs.patient_key
    inner join unsettled
        on memberships.group_key = unsettled.group_key and epochs.epoch_key = unsettled.epoch_key
    where epochs.arr_per_year is not null
    group by memberships.group_key, epochs.epoch_key
),

in_use as (
    select
        sums_in_use.group_key,
        sums_in_use.epoch_key,
        '{{ var("relapse_definition") }}' as relapse_definition,
        cast({{ var('minimum_exposure_days') }} as bigint) as minimum_exposure_days,
        sums_in_use.exposed,
        sums_in_use.patients,
        sums_in_use.relapses,
        sums_in_use.exposure_days,
        sums_in_use.n_patient_mean,
        sums_in_use.arr_patient_mean_per_year,
        sums_in_use.sd,
        case when 2 * sums_in_use.n_without_relapse > sums_in_use.n_patient_mean then 0e0 else medians.median end
            as median,
        sums_in_use.min,
        sums_in_use.max
    from sums_in_use
    left join medians
        on sums_in_use.group_key = medians.group_key and sums_in_use.epoch_key = medians.epoch_key
),

numbered_definitions as (
    select relapse_definition, row_number() over (order by relapse_definition) as definition_number
    from definitions
),

-- patients as double, because sums of whole numbers take twice as long; they stay whole
others as (
    select
        counts.group_key,
        counts.epoch_key,
        numbered_definitions.definition_number,
        minimum_exposures.minimum_exposure_days,
        case
            when counts.exposure_days >= minimum_exposures.minimum_exposure_days
                then counts.relapses / (counts.exposure_days / 365.25e0)
        end as arr_per_year,
        counts.relapses,
        counts.exposure_days,
        cast(counts.patients as double) as patients
    from counts
    cross join minimum_exposures
    inner join numbered_definitions on counts.relapse_definition = numbered_definitions.relapse_definition
    where counts.relapse_definition <> '{{ var("relapse_definition") }}'
        or minimum_exposures.minimum_exposure_days <> {{ var('minimum_exposure_days') }}
),

other_sums as (
    select
        group_key,
        epoch_key,
        definition_number,
        minimum_exposure_days,
        sum(patients) as patients,
        sum(relapses * patients) as relapses,
        sum(exposure_days * patients) as exposure_days,
        coalesce(sum(case when arr_per_year is not null then patients end), 0e0) as n,
        coalesce(sum(case when arr_per_year = 0 then patients end), 0e0) as n_without_relapse,
        sum(arr_per_year * patients) as total_rate,
        min(arr_per_year) as min,
        max(arr_per_year) as max
    from others
    group by group_key, epoch_key, definition_number, minimum_exposure_days
),

deviations as (
    select
        others.group_key,
        others.epoch_key,
        others.definition_number,
        others.minimum_exposure_days,
        sum(others.patients * power(others.arr_per_year - other_sums.total_rate / other_sums.n, 2)) as squares
    from others
    inner join other_sums
        on others.group_key = other_sums.group_key
        and others.epoch_key = other_sums.epoch_key
        and others.definition_number = other_sums.definition_number
        and others.minimum_exposure_days = other_sums.minimum_exposure_days
    where others.arr_per_year is not null
    group by others.group_key, others.epoch_key, others.definition_number, others.minimum_exposure_days
),

ordered as (
    select
        others.*,
        other_sums.n,
        sum(others.patients) over (
            partition by
                others.group_key, others.epoch_key, others.definition_number, others.minimum_exposure_days
            order by others.arr_per_year
            rows between unbounded preceding and current row
        ) as cumulative
    from others
    inner join other_sums
        on others.group_key = other_sums.group_key
        and others.epoch_key = other_sums.epoch_key
        and others.definition_number = other_sums.definition_number
        and others.minimum_exposure_days = other_sums.minimum_exposure_days
    where others.arr_per_year is not null
        and 2 * other_sums.n_without_relapse <= other_sums.n
),

other_medians as (
    select
        group_key,
        epoch_key,
        definition_number,
        minimum_exposure_days,
        {{ weighted_median('arr_per_year', 'cumulative', 'patients', 'n') }} as median
    from ordered
    group by group_key, epoch_key, definition_number, minimum_exposure_days
),

sensitivity as (
    select
        other_sums.group_key,
        other_sums.epoch_key,
        numbered_definitions.relapse_definition,
        other_sums.minimum_exposure_days,
        cast(other_sums.patients as bigint) as exposed,
        cast(other_sums.patients as bigint) as patients,
        cast(other_sums.relapses as bigint) as relapses,
        cast(other_sums.exposure_days as bigint) as exposure_days,
        cast(other_sums.n as bigint) as n_patient_mean,
        case when other_sums.n > 0 then other_sums.total_rate / other_sums.n end as arr_patient_mean_per_year,
        case when other_sums.n > 1 then sqrt(deviations.squares / (other_sums.n - 1)) end as sd,
        case when 2 * other_sums.n_without_relapse > other_sums.n then 0e0 else other_medians.median end as median,
        other_sums.min,
        other_sums.max
    from other_sums
    inner join numbered_definitions on other_sums.definition_number = numbered_definitions.definition_number
    left join deviations
        on other_sums.group_key = deviations.group_key
        and other_sums.epoch_key = deviations.epoch_key
        and other_sums.definition_number = deviations.definition_number
        and other_sums.minimum_exposure_days = deviations.minimum_exposure_days
    left join other_medians
        on other_sums.group_key = other_medians.group_key
        and other_sums.epoch_key = other_medians.epoch_key
        and other_sums.definition_number = other_medians.definition_number
        and other_sums.minimum_exposure_days = other_medians.minimum_exposure_days
),

sums as (
    select * from in_use
    union all
    select * from sensitivity
),

final as (
    select
        places.group_key,
        places.epoch_key,
        places.cohort,
        places.grouping,
        places.group_name,
        places.is_baseline_group,
        places.epoch,
        places.end_rule,
        places.relapse_definition,
        places.minimum_exposure_days,
        coalesce(sums.patients, 0) as patients,
        places.group_size - coalesce(sums.patients, 0) as patients_without_exposure,
        coalesce(sums.relapses, 0) as relapses,
        coalesce(sums.exposure_days, 0) / 365.25e0 as person_years,
        case when sums.exposure_days > 0 then sums.relapses / (sums.exposure_days / 365.25e0) end as arr_pooled_per_year,
        case
            when sums.exposed is null then 'no_exposure'
            when sums.patients = 0 then 'relapses_not_delivered'
        end as arr_null_reason,
        coalesce(sums.n_patient_mean, 0) as n_patient_mean,
        sums.arr_patient_mean_per_year,
        sums.sd,
        sums.median,
        sums.min,
        sums.max
    from places
    left join sums
        on places.group_key = sums.group_key
        and places.epoch_key = sums.epoch_key
        and places.relapse_definition = sums.relapse_definition
        and places.minimum_exposure_days = sums.minimum_exposure_days
)

select * from final
