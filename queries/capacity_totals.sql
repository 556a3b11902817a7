-- One row is the sum of places in all four states, of each unit's last count on or before a day.
-- Grain: one row; parameters: $as_of.
-- Read by: samplads query, the publisher's own check.
with counted as (
    select
        capacity.unit_id,
        capacity.maximum,
        capacity.occupied,
        capacity.reserved,
        capacity.accepting
    from capacity
    where capacity.as_of <= $as_of
    qualify row_number() over (partition by capacity.unit_id order by capacity.as_of desc) = 1
)

select
    count(*) as units,
    coalesce(sum(counted.maximum), 0)::bigint as maximum,
    coalesce(sum(counted.occupied), 0)::bigint as occupied,
    coalesce(sum(counted.reserved), 0)::bigint as reserved,
    coalesce(sum(counted.accepting), 0)::bigint as accepting
from counted
