{# New or enlarging T2 lesions per scan, and participants with any, of every group and epoch: treated patients with
   at least one counted scan in the epoch. The scan nearest the start is the reference and is not counted. #}

with

epochs as (
    select * from {{ ref('int_outcomes__observed_epochs') }}
    where scans > 0
),

epoch_names as (
    select * from {{ ref('int_outcomes__epoch_names') }}
),

strata as (
    select * from {{ ref('int_outcomes__strata') }}
),

stratum_groups as (
    select * from {{ ref('int_outcomes__stratum_groups') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

stratum_sums as (
    select
        strata.stratum_key,
        epochs.epoch_key,
        cast(count(*) as bigint) as patients,
        cast(sum(epochs.scans) as bigint) as scans,
        cast(sum(epochs.new_t2_total) as bigint) as new_t2_total,
        cast(sum(case when epochs.new_t2_total > 0 then 1 else 0 end) as bigint) as patients_with_new_t2,
        cast(sum(case when epochs.gd_total > 0 then 1 else 0 end) as bigint) as patients_with_gd,
        cast(count(epochs.gd_total) as bigint) as patients_with_gd_read
    from strata
    inner join epochs on strata.patient_key = epochs.patient_key
    group by strata.stratum_key, epochs.epoch_key
),

sums as (
    select
        stratum_groups.group_key,
        stratum_sums.epoch_key,
        cast(sum(stratum_sums.patients) as bigint) as patients,
        cast(sum(stratum_sums.scans) as bigint) as scans,
        cast(sum(stratum_sums.new_t2_total) as bigint) as new_t2_total,
        cast(sum(stratum_sums.patients_with_new_t2) as bigint) as patients_with_new_t2,
        cast(sum(stratum_sums.patients_with_gd) as bigint) as patients_with_gd,
        cast(sum(stratum_sums.patients_with_gd_read) as bigint) as patients_with_gd_read
    from stratum_sums
    inner join stratum_groups on stratum_sums.stratum_key = stratum_groups.stratum_key
    group by stratum_groups.group_key, stratum_sums.epoch_key
),

final as (
    select
        group_names.cohort,
        group_names.grouping,
        group_names.group_name,
        group_names.is_baseline_group,
        epoch_names.epoch,
        epoch_names.end_rule,
        sums.patients,
        sums.scans,
        sums.new_t2_total,
        cast(sums.new_t2_total as double) / cast(sums.scans as double) as new_t2_per_scan,
        sums.patients_with_new_t2,
        sums.patients_with_gd,
        sums.patients_with_gd_read
    from sums
    inner join group_names on sums.group_key = group_names.group_key
    inner join epoch_names on sums.epoch_key = epoch_names.epoch_key
)

select * from final
