-- One row is the state of all places: counts in four states (a closed unit has no open ones), how many open ones are fresh, how many units.
-- Grain: one row; parameters: $day $fresh_days.
-- Read by: Overblik.
with open_now as (
    select
        unit_now.* exclude (accepting),
        if(unit_now.status = 'closed', 0, unit_now.accepting) as accepting
    from unit_now
)

select
    count(*) as units,
    count(distinct open_now.municipality) as municipalities,
    coalesce(sum(open_now.accepting), 0)::bigint as accepting,
    coalesce(sum(open_now.reserved), 0)::bigint as reserved,
    coalesce(sum(open_now.occupied), 0)::bigint as occupied,
    coalesce(sum(open_now.maximum), 0)::bigint as maximum,
    coalesce(sum(open_now.accepting) filter (where date_diff('day', open_now.confirmed_at, $day) <= $fresh_days), 0)::bigint as accepting_fresh,
    count(*) filter (where open_now.accepting > 0) as open_units,
    count(distinct open_now.municipality) filter (where open_now.accepting > 0) as open_municipalities,
    count(*) filter (where open_now.single_person and open_now.night_cover in ('awake', 'sleeping')) as night_units,
    count(distinct open_now.municipality) filter (
        where open_now.single_person and open_now.night_cover in ('awake', 'sleeping')
    ) as night_municipalities
from open_now
