{# The groupings of each of a patient's strata: grouping, group, column of int_outcomes__group_labels. Without a group the
   column holds it; else it says whether the patient is in it. Groupings that go together share a stratum. #}
{% macro strata_of_groups() -%}
{{ return([
    [
        ('sex', none, 'sex'),
        ('age_band', none, 'age_band'),
        ('regular_corticosteroids', none, 'regular_corticosteroids'),
        ('prospective_cohort', none, 'prospective_cohort'),
        ('edss_change_class', none, 'edss_change_class'),
    ],
    [
        ('prior_dmd_class', none, 'prior_dmd_class'),
        ('prior_dmd_class_24m', none, 'prior_dmd_class_24m'),
        ('prior_dmd_24m', 'IFNGA', 'prior_ifnga_24m'),
        ('prior_dmd_24m', 'FTY', 'prior_fty_24m'),
        ('prior_dmd_24m', 'NAT', 'prior_nat_24m'),
        ('prior_dmd_24m', 'OTHER', 'prior_other_24m'),
        ('nat_fty_index', 'NAT_FTY_INDEX', 'is_nat_fty_index'),
        ('disease_course', none, 'disease_course'),
    ],
    [
        ('all', none, 'everyone'),
        ('courses_received', none, 'courses_received'),
        ('baseline_edss_band', none, 'baseline_edss_band'),
        ('pre_index_arr_over_2', none, 'pre_index_arr_over_2'),
        ('follow_up_over_12_months', none, 'follow_up_over_12_months'),
        ('follow_up_over_15_months', none, 'follow_up_over_15_months'),
    ],
]) }}
{%- endmacro %}
