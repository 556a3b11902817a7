-- One row is something about a unit that became different: a delivered field, or a count of its places; values as text, newest first.
-- Grain: unit, field, day; parameters: $unit_id.
-- Read by: Ledige pladser.
with counted as (
    unpivot (
        select
            capacity.as_of,
            capacity.maximum::varchar as maximum,
            coalesce(capacity.occupied::varchar, '') as occupied,
            coalesce(capacity.reserved::varchar, '') as reserved,
            coalesce(capacity.accepting::varchar, '') as accepting,
            coalesce(capacity.status, '') as status
        from capacity
        where capacity.unit_id = $unit_id
    )
    on maximum, occupied, reserved, accepting, status
    into name field value told
),

followed as (
    select
        counted.as_of,
        counted.field,
        counted.told as after,
        lag(counted.told) over (partition by counted.field order by counted.as_of) as before
    from counted
)

select
    followed.as_of as changed_on,
    followed.field,
    nullif(followed.before, '') as before,
    nullif(followed.after, '') as after
from followed
where followed.before is not null and followed.before <> followed.after

union all

select
    unit_change.changed_on,
    unit_change.field,
    unit_change.before,
    unit_change.after
from unit_change
where unit_change.unit_id = $unit_id
order by changed_on desc, field asc
