-- One row is a unit with everything a match reads: what it is, whom it is for, its last known places and who confirmed them.
-- Grain: unit; parameters: none.
-- Read by: Find match, Samlet fordeling, samplads match.
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.offer_name,
    unit_now.operator,
    unit_now.operator_kind,
    unit_now.municipality,
    unit_now.municipality_name,
    unit_now.lat,
    unit_now.lon,
    unit_now.offer_type,
    unit_now.age_from,
    unit_now.age_to,
    unit_now.support_level_from,
    unit_now.support_level_to,
    unit_now.approval_status,
    unit_now.approved_until,
    unit_now.night_cover,
    unit_now.single_person,
    unit_now.daily_rate_ore,
    unit_now.price_year,
    unit_now.assumed_occupancy_pct,
    unit_now.maximum,
    unit_now.occupied,
    unit_now.reserved,
    unit_now.accepting,
    unit_now.accepting_from,
    unit_now.status,
    unit_now.confirmed_by,
    unit_now.confirmed_at,
    unit_now.primary_groups,
    unit_now.secondary_groups,
    unit_now.excluded_groups
from unit_now
order by unit_now.unit_id
