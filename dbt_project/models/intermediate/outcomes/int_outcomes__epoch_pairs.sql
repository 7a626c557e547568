{# Pairs of epochs by number, and the numbers of their epochs under the end rule in use; EDSS and severity at baseline
   and last visit are pairs too. #}
{{ config(materialized='ephemeral') }}

with

seeded as (
    select *, row_number() over (order by metric, before_epoch, after_epoch) as pair_number from {{ ref('epoch_pairs') }}
),

epoch_names as (
    select * from {{ ref('int_outcomes__epoch_names') }}
    where is_rule_in_use
),

final as (
    select
        cast(seeded.pair_number as bigint) as pair_key,
        seeded.metric,
        seeded.before_epoch,
        seeded.after_epoch,
        before_names.epoch_key as before_epoch_key,
        after_names.epoch_key as after_epoch_key
    from seeded
    left join epoch_names as before_names on seeded.before_epoch = before_names.epoch
    left join epoch_names as after_names on seeded.after_epoch = after_names.epoch

    {% for metric in ['edss', 'msss', 'armss'] %}
    union all

    select
        cast(1000 + {{ loop.index }} as bigint) as pair_key,
        '{{ metric }}' as metric,
        'baseline' as before_epoch,
        'last_visit' as after_epoch,
        cast(null as bigint) as before_epoch_key,
        cast(null as bigint) as after_epoch_key
    {% endfor %}
)

select * from final
