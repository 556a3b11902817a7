-- One row is a unit with its last known places and what it is approved for; a group's approval covers its descendants.
-- Grain: unit.
-- Read by: Ledige pladser, Find match, Samlet fordeling, the analyst.
with delivered as (
    select
        target_group_approval.unit_id,
        list(target_group_approval.target_group order by target_group_approval.target_group)
            filter (where target_group_approval.rank = 'primary') as primary_groups,
        list(target_group_approval.target_group order by target_group_approval.target_group)
            filter (where target_group_approval.rank = 'secondary') as secondary_groups,
        list(target_group_approval.target_group order by target_group_approval.target_group)
            filter (where target_group_approval.rank = 'excluded') as excluded_groups
    from target_group_approval
    group by target_group_approval.unit_id
),

covered as (
    select
        target_group_approval.unit_id,
        list(distinct target_group_closure.descendant order by target_group_closure.descendant)
            filter (where target_group_approval.rank = 'primary') as covered_primary,
        list(distinct target_group_closure.descendant order by target_group_closure.descendant)
            filter (where target_group_approval.rank = 'secondary') as covered_secondary,
        list(distinct target_group_closure.descendant order by target_group_closure.descendant)
            filter (where target_group_approval.rank = 'excluded') as covered_excluded
    from target_group_approval
    inner join target_group_closure on target_group_approval.target_group = target_group_closure.ancestor
    group by target_group_approval.unit_id
)

select
    unit.* exclude (delivery_digest) replace (
        coalesce(unit.lat, municipality.lat) as lat,
        coalesce(unit.lon, municipality.lon) as lon
    ),
    unit.lat is not null and unit.lon is not null as has_own_point,
    municipality.name as municipality_name,
    capacity_latest.* exclude (unit_id),
    coalesce(delivered.primary_groups, []) as primary_groups,
    coalesce(delivered.secondary_groups, []) as secondary_groups,
    coalesce(delivered.excluded_groups, []) as excluded_groups,
    coalesce(covered.covered_primary, []) as covered_primary,
    coalesce(covered.covered_secondary, []) as covered_secondary,
    coalesce(covered.covered_excluded, []) as covered_excluded
from unit
left join municipality on unit.municipality = municipality.code
left join capacity_latest on unit.unit_id = capacity_latest.unit_id
left join delivered on unit.unit_id = delivered.unit_id
left join covered on unit.unit_id = covered.unit_id
order by unit.unit_id
