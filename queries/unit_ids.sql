-- One row is a unit's id and the municipality it lies in.
-- Grain: unit; parameters: none.
-- Read by: the check of a delivery, for references to units that an earlier delivery told.
select
    unit.unit_id,
    unit.municipality
from unit
order by unit.unit_id
