{# Which onset counts, under each definition of the seed. An onset less than `merge_days` after the last counted
   one is the same relapse; merged onsets do not extend it (no chaining), so onsets at days 0, 20 and 40 are two.
   Onsets known only to month or year, pseudo-relapses and impossible ones take no part in merging. Only runs of
   close onsets need the walk: where the gap to the previous onset is wide, a count starts anew in any case, and most
   onsets stand alone. #}

with recursive

relapses as (
    select * from {{ ref('int_outcomes__relapses_dated') }}
),

definitions as (
    select * from {{ ref('relapse_definitions') }}
),

candidates as (
    select
        definitions.relapse_definition,
        relapses.patient_key,
        relapses.relapse_number,
        case
            when relapses.is_after_death then 'after_death'
            when relapses.is_before_birth then 'before_birth'
            when relapses.is_pseudo_relapse and not definitions.counts_pseudo_relapses then 'pseudo_relapse'
            when relapses.onset_precision <> 'day' and not definitions.counts_partial_onsets then 'partial_onset'
            when relapses.onset_precision <> 'day' then 'counted_partial_onset'
            else 'mergeable'
        end as kind
    from relapses
    cross join definitions
),

-- definitions that take the same onsets share their gaps
takings as (
    select distinct counts_pseudo_relapses from definitions
),

mergeable as (
    select takings.counts_pseudo_relapses, relapses.patient_key, relapses.relapse_number, relapses.onset_date
    from relapses
    cross join takings
    where relapses.onset_precision = 'day'
        and not relapses.is_after_death
        and not relapses.is_before_birth
        and (takings.counts_pseudo_relapses or not relapses.is_pseudo_relapse)
),

neighbours as (
    select
        *,
        {{ days_between('lag(onset_date) over (partition by counts_pseudo_relapses, patient_key order by relapse_number)', 'onset_date') }}
            as gap_days,
        {{ days_between('onset_date', 'lead(onset_date) over (partition by counts_pseudo_relapses, patient_key order by relapse_number)') }}
            as next_gap_days
    from mergeable
),

gaps as (
    select
        definitions.relapse_definition,
        definitions.merge_days,
        neighbours.patient_key,
        neighbours.relapse_number,
        neighbours.onset_date,
        coalesce(neighbours.gap_days >= definitions.merge_days, true) as starts_run,
        coalesce(neighbours.next_gap_days >= definitions.merge_days, true) as ends_run
    from neighbours
    inner join definitions on neighbours.counts_pseudo_relapses = definitions.counts_pseudo_relapses
),

runs as (
    select
        *,
        sum(case when starts_run then 1 else 0 end) over (
            partition by relapse_definition, patient_key
            order by relapse_number
            rows between unbounded preceding and current row
        ) as run_number
    from gaps
    where not (starts_run and ends_run)
),

places as (
    select
        *,
        row_number() over (
            partition by relapse_definition, patient_key, run_number
            order by relapse_number
        ) as place
    from runs
),

walk as (
    select
        relapse_definition,
        patient_key,
        run_number,
        place,
        relapse_number,
        merge_days,
        onset_date as counted_date,
        relapse_number as counted_number
    from places
    where place = 1

    union all

    select
        places.relapse_definition,
        places.patient_key,
        places.run_number,
        places.place,
        places.relapse_number,
        places.merge_days,
        case
            when {{ days_between('walk.counted_date', 'places.onset_date') }} >= places.merge_days
                then places.onset_date
            else walk.counted_date
        end as counted_date,
        case
            when {{ days_between('walk.counted_date', 'places.onset_date') }} >= places.merge_days
                then places.relapse_number
            else walk.counted_number
        end as counted_number
    from walk
    inner join places
        on walk.relapse_definition = places.relapse_definition
        and walk.patient_key = places.patient_key
        and walk.run_number = places.run_number
        and walk.place + 1 = places.place
),

resolved as (
    select
        relapse_definition,
        patient_key,
        relapse_number,
        counted_number,
        case when counted_number = relapse_number then 'counted' else 'merged' end as reason
    from walk

    union all

    -- an onset far from its neighbours needs no walk
    select relapse_definition, patient_key, relapse_number, relapse_number as counted_number, 'counted' as reason
    from gaps
    where starts_run and ends_run

    union all

    select
        relapse_definition,
        patient_key,
        relapse_number,
        case when kind = 'counted_partial_onset' then relapse_number end as counted_number,
        kind as reason
    from candidates
    where kind <> 'mergeable'
),

final as (
    select
        relapse_definition,
        patient_key,
        relapse_number,
        cast(counted_number as bigint) as counted_relapse_id,
        reason in ('counted', 'counted_partial_onset') as is_counted,
        reason
    from resolved
)

select * from final
