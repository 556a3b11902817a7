-- One row is a unit's last count of places, as it was delivered.
-- Grain: unit; parameters: none.
-- Read by: samplads export-hsds.
select capacity_latest.*
from capacity_latest
order by capacity_latest.unit_id
