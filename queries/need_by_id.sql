-- One row is a need: what a citizen needs, without saying who the citizen is.
-- Grain: need; parameters: $need_id.
-- Read by: Find match, samplads match.
select need.* exclude (delivery_digest)
from need
where need.need_id = $need_id
