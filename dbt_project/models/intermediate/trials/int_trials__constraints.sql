{# Constraints of those criteria, each reduced to a condition that is put to patients once for all studies,
   whether it is expected to hold, and its place in the criterion's logic.

   Kinds of absence (`washout`, `no_relapse_within` …) become the condition that the thing is there, expected not
   to hold. With bounds on a measure ("at most one class") they say by their polarity what is expected. #}

with

criteria as (
    select * from {{ ref('int_trials__criteria') }}
),

constraints as (
    {{ all_versions(ref('stg_registry__criterion_constraints'), ref('stg_registry__earlier_criterion_constraints'), [
        'nct_id', 'criterion_id', 'constraint_ordinal', 'kind', 'polarity', 'min_value', 'min_inclusive', 'max_value',
        'max_inclusive', 'unit', 'measure', 'window_value', 'window_unit', 'window_near_value', 'window_near_unit',
        'window_anchor', 'terms', 'term_logic', 'exception_terms', 'is_qualified', 'on_therapy_value', 'on_therapy_unit',
        'any_of_group', 'all_of_group', 'quote']) }}
),

read as (
    select
        criteria.criterion_number,
        criteria.study_number,
        criteria.versions_back,
        constraints.constraint_ordinal,
        constraints.kind,
        constraints.polarity,
        constraints.min_value,
        constraints.min_inclusive,
        constraints.max_value,
        constraints.max_inclusive,
        lower(constraints.unit) as unit,
        constraints.measure,
        {{ span_months('constraints.window_value', 'constraints.window_unit') }} as window_months,
        {{ span_days('constraints.window_value', 'constraints.window_unit') }} as window_days,
        {{ span_months('constraints.window_near_value', 'constraints.window_near_unit') }} as near_months,
        {{ span_days('constraints.window_near_value', 'constraints.window_near_unit') }} as near_days,
        {{ span_months('constraints.on_therapy_value', 'constraints.on_therapy_unit') }} as on_therapy_months,
        {{ span_days('constraints.on_therapy_value', 'constraints.on_therapy_unit') }} as on_therapy_days,
        coalesce(constraints.window_anchor, '') = 'ever' as is_ever,
        -- "on interferon for 12 months prior to enrolment" asks for the present, "after 6 months of interferon" does not
        constraints.kind = 'prior_therapy_required'
        and coalesce(constraints.window_anchor, 'ever') <> 'ever'
        and constraints.window_value is not null as is_up_to_screening,
        coalesce({{ joined_list('constraints.terms', ';') }}, '') as terms,
        coalesce(constraints.term_logic, 'any') as term_logic,
        coalesce({{ joined_list('constraints.exception_terms', ';') }}, '') as exception_terms,
        coalesce(constraints.is_qualified, false) as is_qualified,
        constraints.any_of_group,
        constraints.all_of_group,
        constraints.quote
    from constraints
    inner join criteria
        on constraints.nct_id = criteria.nct_id
        and constraints.versions_back = criteria.versions_back
        and constraints.criterion_id = criteria.criterion_id
),

typed as (
    select
        *,
        kind in ({{ "'" ~ var('absence_kinds') | join("', '") ~ "'" }}) as is_absence_kind,
        kind in ({{ "'" ~ var('decisive_kinds') | join("', '") ~ "'" }}) as is_decisive_kind
    from read
),

expected as (
    select
        *,
        case
            when is_absence_kind and min_value is null and max_value is null then false
            else coalesce(polarity, 'require') = 'require'
        end as is_expected,
        concat_ws(
            '|',
            kind,
            coalesce(cast(min_value as string), '-'),
            coalesce(cast(min_inclusive as string), '-'),
            coalesce(cast(max_value as string), '-'),
            coalesce(cast(max_inclusive as string), '-'),
            coalesce(unit, '-'),
            coalesce(measure, '-'),
            coalesce(cast(window_months as string), '-'),
            coalesce(cast(window_days as string), '-'),
            coalesce(cast(near_months as string), '-'),
            coalesce(cast(near_days as string), '-'),
            coalesce(cast(on_therapy_months as string), '-'),
            coalesce(cast(on_therapy_days as string), '-'),
            cast(is_ever as string),
            cast(is_up_to_screening as string),
            terms,
            term_logic,
            exception_terms
        ) as condition_key
    from typed
),

final as (
    select
        *,
        cast(dense_rank() over (order by condition_key) as bigint) as condition_number
    from expected
)

select * from final
