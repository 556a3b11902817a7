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
)

select
    grouped.group_key,
    unit_month.month,
    sum(unit_month.person_days)::bigint as person_days,
    sum(unit_month.capacity_days)::bigint as capacity_days,
    round(
        100.0 * sum(unit_month.person_days) filter (where unit_month.capacity_days > 0) / nullif(sum(unit_month.capacity_days), 0), 1
    ) as occupancy_pct,
    coalesce(sum(unit_month.person_days) filter (where unit_month.capacity_days > 0), 0)::bigint as covered_days
from unit_month
inner join grouped on unit_month.unit_id = grouped.unit_id
where unit_month.month between $first_month and $last_month
group by grouped.group_key, unit_month.month
order by grouped.group_key, unit_month.month
