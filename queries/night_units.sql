-- One row is a unit as night cover sees it: where it lies, whether it is approved, whom it is for and what it costs.
-- Grain: unit; parameters: none.
-- Read by: Fælles nattevagt, samplads night-cover.
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
    unit_now.has_own_point,
    unit_now.approval_status,
    unit_now.approved_until,
    unit_now.night_cover as unit_night_cover,
    unit_now.single_person,
    unit_now.daily_rate_ore,
    unit_now.price_year,
    list_sort(list_distinct(list_concat(unit_now.covered_primary, unit_now.covered_secondary))) as groups
from unit_now
order by unit_now.unit_id
