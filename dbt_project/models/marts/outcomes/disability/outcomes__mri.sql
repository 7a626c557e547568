{# New or enlarging T2 lesions per scan, and participants with any, of every group and epoch: treated patients with
   at least one counted scan in the epoch. The scan nearest the start is the reference and is not counted. #}

with

epochs as (
    select * from {{ ref('int_outcomes__patient_epochs') }}
),

group_members as (
    select * from {{ ref('int_outcomes__groups') }}
),

scanned as (
    select * from epochs
    where scans > 0
),

final as (
    select
        group_members.cohort,
        group_members.grouping,
        group_members.group_name,
        group_members.is_baseline_group,
        scanned.epoch,
        scanned.end_rule,
        cast(count(*) as bigint) as patients,
        cast(sum(scanned.scans) as bigint) as scans,
        cast(sum(scanned.new_t2_total) as bigint) as new_t2_total,
        cast(sum(scanned.new_t2_total) as double) / cast(sum(scanned.scans) as double) as new_t2_per_scan,
        cast(sum(case when scanned.new_t2_total > 0 then 1 else 0 end) as bigint) as patients_with_new_t2,
        cast(sum(case when scanned.gd_total > 0 then 1 else 0 end) as bigint) as patients_with_gd,
        cast(sum(case when scanned.gd_total is not null then 1 else 0 end) as bigint) as patients_with_gd_read
    from group_members
    inner join scanned
        on group_members.cohort = scanned.cohort and group_members.patient_id = scanned.patient_id
    group by
        group_members.cohort,
        group_members.grouping,
        group_members.group_name,
        group_members.is_baseline_group,
        scanned.epoch,
        scanned.end_rule
)

select * from final
