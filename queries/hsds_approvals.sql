-- One row is a target group that a unit is approved for or expressly does not take, as it was delivered.
-- Grain: unit, target_group; parameters: none.
-- Read by: samplads export-hsds.
select target_group_approval.* exclude (delivery_digest)
from target_group_approval
order by target_group_approval.unit_id, target_group_approval.target_group
