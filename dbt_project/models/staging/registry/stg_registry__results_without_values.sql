select
    nct_id,
    module,
    item_kind,
    ordinal,
    class_ordinal,
    category_ordinal,
    title,
    class_title,
    category,
    description,
    unit,
    population_description,
    organ_system,
    source_vocabulary,
    comment
from {{ source('lake_registry', 'results_without_values') }}
