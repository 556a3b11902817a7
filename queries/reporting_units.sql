-- One row is a unit with when its places were last counted and who last vouched for them.
-- Grain: unit; parameters: none.
-- Read by: Dataleverancer.
select
    unit_now.unit_id,
    unit_now.name as unit_name,
    coalesce(unit_now.offer_name, unit_now.offer_id) as offer_name,
    unit_now.operator,
    unit_now.municipality,
    coalesce(unit_now.municipality_name, unit_now.municipality) as municipality_name,
    unit_now.maximum,
    unit_now.as_of,
    unit_now.confirmed_by,
    unit_now.confirmed_at
from unit_now
order by municipality_name, unit_name, unit_now.unit_id
