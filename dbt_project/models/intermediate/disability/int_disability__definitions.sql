{# Every definition, and its twin that starts at the index baseline. #}
{{ statistics_input() }}

with

definitions as (
    select * from {{ ref('disability_definitions') }}
),

starts as (
    select definition as base_definition, definition, series_start from definitions

    union all

    select definition as base_definition, concat(definition, '_from_index') as definition, 'index_baseline' as series_start
    from definitions
    where has_index_twin
),

final as (
    select
        starts.definition,
        starts.base_definition,
        definitions.family,
        starts.series_start,
        definitions.events,
        definitions.reference,
        definitions.is_rebaselined_after_relapse,
        definitions.is_reference_never_lowered,
        definitions.worsening_steps,
        definitions.improvement_steps,
        definitions.baseline_relapse_days,
        definitions.event_relapse_days,
        definitions.confirmation_relapse_days,
        definitions.is_relapse_bound_barred,
        definitions.is_sustained_required,
        definitions.raw_window_days,
        definitions.pira_1_from,
        definitions.pira_1_before_days,
        definitions.pira_1_to,
        definitions.pira_1_after_days,
        definitions.pira_2_from,
        definitions.pira_2_before_days,
        definitions.pira_2_to,
        definitions.pira_2_after_days
    from starts
    inner join definitions on starts.base_definition = definitions.definition
)

select * from final
