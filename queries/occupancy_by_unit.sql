-- One row is a unit on a day: persons present (first day counted, day of leaving not) and the capacity in force (0 where none is yet).
-- Grain: unit; parameters: $day.
-- Read by: samplads query.
-- Only units that had places on some day, before or after: persons in a unit that never has any (outreach, advice) are in no place, and
-- would be in a reader's sum. Where capacity is 0, the places are yet to begin or have ended.
with ever as (
    select distinct capacity.unit_id
    from capacity
    where capacity.maximum > 0
),

present as (
    select
        stay.unit_id,
        count(*) as persons
    from stay
    where stay.starts_on <= $day and coalesce(stay.ends_on > $day, true)
    group by stay.unit_id
),

in_force as (
    select
        capacity.unit_id,
        arg_max(capacity.maximum, capacity.as_of) as maximum
    from capacity
    where capacity.as_of <= $day
    group by capacity.unit_id
)

select
    coalesce(present.unit_id, in_force.unit_id) as unit_id,
    coalesce(present.persons, 0)::bigint as persons,
    coalesce(in_force.maximum, 0)::bigint as capacity
from present
full join in_force on present.unit_id = in_force.unit_id
where
    (present.persons > 0 or in_force.maximum > 0)
    and coalesce(present.unit_id, in_force.unit_id) in (select ever.unit_id from ever)
order by unit_id
