-- One row is a unit's id.
-- Grain: unit; parameters: none.
-- Read by: the check of a delivery, for references to units that an earlier delivery told.
select unit.unit_id
from unit
order by unit.unit_id
