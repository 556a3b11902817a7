-- One row is a unit as it was last delivered, without what the build adds.
-- Grain: unit; parameters: none.
-- Read by: samplads export-hsds.
select unit.* exclude (delivery_digest)
from unit
order by unit.unit_id
