-- One row is something about a unit that became different, as text and with the delivery that told it, newest first: from one count of its
-- places to the next ("counted"), a count that a later delivery told anew ("restated"), a field or its approvals ("told").
-- Grain: unit, event, field, day, day counted (`as_of`; null for what is not a count), delivery; parameters: $unit_id.
-- Read by: the unit's panel on Ledige pladser, Find match and Datakvalitet.
with counts as (
    select
        capacity.as_of,
        delivery.delivery,
        capacity.maximum::varchar as maximum,
        capacity.occupied::varchar as occupied,
        coalesce(capacity.reserved::varchar, '') as reserved,
        capacity.accepting::varchar as accepting,
        coalesce(capacity.funded::varchar, '') as funded,
        coalesce(capacity.accepting_from::varchar, '') as accepting_from,
        coalesce(capacity.status, '') as status
    from capacity
    inner join delivery on capacity.delivery_digest = delivery.digest
    where capacity.unit_id = $unit_id
),

counted as (
    unpivot counts
    on maximum, occupied, reserved, accepting, funded, accepting_from, status
    into name field value told
),

followed as (
    select
        counted.as_of,
        counted.delivery,
        counted.field,
        counted.told as after,
        lag(counted.told) over (partition by counted.field order by counted.as_of) as before
    from counted
)

select
    followed.as_of as changed_on,
    'counted' as event,
    followed.field,
    nullif(followed.before, '') as before,
    nullif(followed.after, '') as after,
    followed.delivery,
    followed.as_of
from followed
where followed.before is not null and followed.before <> followed.after

union all

select
    unit_change.changed_on,
    if(unit_change.as_of is null, 'told', 'restated') as event,
    unit_change.field,
    unit_change.before,
    unit_change.after,
    unit_change.delivery,
    unit_change.as_of
from unit_change
where unit_change.unit_id = $unit_id
order by changed_on desc, field asc, event asc, as_of desc, delivery asc
