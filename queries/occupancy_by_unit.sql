-- One row is a unit on a day: persons present (first day counted, day of leaving not) and the capacity in force (0 where none is yet).
-- Grain: unit; parameters: $day.
-- Read by: samplads query.
-- Only units that had places on some day, before or after: persons in a unit that never has any (outreach, advice) are in no place, and
-- would be in a reader's sum. Where capacity is 0, the places are yet to begin or have ended.
with present as (
    select
        stay.unit_id,
        count(*) as persons
    from stay
    where stay.starts_on <= $day and (stay.ends_on > $day or stay.ends_on is null)
    group by stay.unit_id
),

counted as (
    select
        capacity.unit_id,
        max(capacity.maximum) as most,
        arg_max(capacity.maximum, capacity.as_of) filter (where capacity.as_of <= $day) as in_force
    from capacity
    group by capacity.unit_id
)

select
    counted.unit_id,
    coalesce(present.persons, 0)::bigint as persons,
    coalesce(counted.in_force, 0)::bigint as capacity
from counted
left join present on counted.unit_id = present.unit_id
where counted.most > 0 and (present.persons > 0 or counted.in_force > 0)
order by counted.unit_id
