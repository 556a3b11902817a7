-- One row is a unit with all that unit_now holds of it.
-- Grain: unit; parameters: $unit_ids.
-- Read by: the layer of what people have written over the deliveries (samplads/overlay.py).
select unit_now.*
from unit_now
where unit_now.unit_id in $unit_ids
order by unit_now.unit_id
