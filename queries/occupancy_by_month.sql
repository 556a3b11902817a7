-- One row is a group of units in a month: days with a person in a place, places times days, and occupancy in percent (null without places).
-- Grain: group, month; parameters: $grouping (unit, municipality, offer_type, target_group, all), $first_month, $last_month.
-- Read by: Datakvalitet, samplads query.
-- A unit with several primary target groups counts in each. Occupancy holds covered_days against places: the person days of units that have
-- places in that month, so that stays in a unit whose places nobody has told make nobody else look full.
with grouped as (
    select
        unit_now.unit_id,
        unnest(
            case $grouping
                when 'unit' then [unit_now.unit_id]
                when 'municipality' then [unit_now.municipality]
                when 'offer_type' then [coalesce(unit_now.offer_type, 'unknown')]
                when 'target_group' then case when len(unit_now.primary_groups) = 0 then ['unknown'] else unit_now.primary_groups end
                else ['all']
            end
        ) as group_key
    from unit_now
),

months as (
    select
        coalesce(occupancy_month.unit_id, capacity_month.unit_id) as unit_id,
        coalesce(occupancy_month.month, capacity_month.month) as month,
        coalesce(occupancy_month.person_days, 0) as person_days,
        coalesce(capacity_month.capacity_days, 0) as capacity_days
    from occupancy_month
    full join capacity_month on occupancy_month.unit_id = capacity_month.unit_id and occupancy_month.month = capacity_month.month
)

select
    grouped.group_key,
    months.month,
    sum(months.person_days)::bigint as person_days,
    sum(months.capacity_days)::bigint as capacity_days,
    round(
        100.0 * sum(months.person_days) filter (where months.capacity_days > 0) / nullif(sum(months.capacity_days), 0), 1
    ) as occupancy_pct,
    coalesce(sum(months.person_days) filter (where months.capacity_days > 0), 0)::bigint as covered_days
from months
inner join grouped on months.unit_id = grouped.unit_id
where months.month between $first_month and $last_month
group by grouped.group_key, months.month
order by grouped.group_key, months.month
