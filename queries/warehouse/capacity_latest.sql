-- One row is a unit's last known places.
-- Grain: unit.
-- Read by: the build of unit_now, the pages.
select capacity.* exclude (delivery_digest)
from capacity
qualify row_number() over (partition by capacity.unit_id order by capacity.as_of desc) = 1
order by capacity.unit_id
