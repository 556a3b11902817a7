-- One row is a unit with places that anybody may move into: how many, and from which day.
-- Grain: unit; parameters: none.
-- Read by: Samlet fordeling.
select
    unit_now.unit_id,
    unit_now.accepting as places,
    unit_now.accepting_from
from unit_now
where unit_now.accepting >= 1 and coalesce(unit_now.status, 'open') = 'open'
order by unit_now.unit_id
