-- One row is something about a unit that somebody should look at: which check, what was told, and what it was held against.
-- Grain: check, unit; a finding where no unit is known; parameters: $day, $ageing_days, $expiry_days, $deviation_points.
-- Read by: Datakvalitet, samplads query.
-- Stays speak only of units that a delivery has told any stays of: where none were sent, nobody is missing.
with present as (
    select
        stay.unit_id,
        count(*)::bigint as persons
    from stay
    where stay.starts_on <= $day and coalesce(stay.ends_on > $day, true)
    group by stay.unit_id
),

in_force as (
    select
        capacity.unit_id,
        capacity.maximum
    from capacity
    where capacity.as_of <= $day
    qualify row_number() over (partition by capacity.unit_id order by capacity.as_of desc) = 1
),

-- A count holds for the day it was made, or for a later one on which somebody confirmed it.
counted as (
    select
        unit_now.unit_id,
        unit_now.occupied,
        case
            when unit_now.confirmed_at > unit_now.as_of and unit_now.confirmed_at <= $day then unit_now.confirmed_at
            else unit_now.as_of
        end as counted_on
    from unit_now
    where unit_now.unit_id in (select stay.unit_id from stay)
),

present_when_counted as (
    select
        counted.unit_id,
        counted.occupied,
        count(stay.stay_id)::bigint as persons
    from counted
    left join stay
        on counted.unit_id = stay.unit_id
        and counted.counted_on >= stay.starts_on
        and coalesce(counted.counted_on < stay.ends_on, true)
    group by counted.unit_id, counted.occupied
),

last_year as (
    select
        unit_month.unit_id,
        100.0 * sum(unit_month.person_days) / nullif(sum(unit_month.capacity_days), 0) as occupancy_pct
    from unit_month
    where
        unit_month.capacity_days > 0
        and unit_month.month >= date_trunc('month', $day - interval 12 month)
        and unit_month.month < date_trunc('month', $day)
    group by unit_month.unit_id
),

twins as (
    select
        unit.unit_id,
        string_agg(other.unit_id, ', ' order by other.unit_id) as others
    from unit
    inner join unit as other
        on unit.municipality = other.municipality
        and lower(trim(unit.address)) = lower(trim(other.address))
        and lower(trim(unit.name)) = lower(trim(other.name))
        and unit.unit_id <> other.unit_id
    group by unit.unit_id
),

issues as (
    select
        'over_occupied' as issue,
        unit_now.unit_id,
        (unit_now.occupied + coalesce(unit_now.reserved, 0) + unit_now.accepting)::varchar as told,
        unit_now.maximum::varchar as held_against
    from unit_now
    where unit_now.occupied + coalesce(unit_now.reserved, 0) + unit_now.accepting > unit_now.maximum
    union all
    select
        'persons_over_maximum' as issue,
        unit_now.unit_id,
        present.persons::varchar as told,
        if(unit_now.as_of <= $day, unit_now.maximum, in_force.maximum)::varchar as held_against
    from unit_now
    inner join present on unit_now.unit_id = present.unit_id
    inner join in_force on unit_now.unit_id = in_force.unit_id
    where present.persons > if(unit_now.as_of <= $day, unit_now.maximum, in_force.maximum) and in_force.maximum > 0
    union all
    select
        'stale' as issue,
        unit_now.unit_id,
        unit_now.confirmed_at::varchar as told,
        ($day - $ageing_days::integer)::varchar as held_against
    from unit_now
    where coalesce(unit_now.confirmed_at < $day - $ageing_days::integer, true) and coalesce(unit_now.maximum > 0, true)
    union all
    select
        'missing_rate' as issue,
        unit_now.unit_id,
        null as told,
        null as held_against
    from unit_now
    where unit_now.daily_rate_ore is null
    union all
    select
        'closed_but_accepting' as issue,
        unit_now.unit_id,
        unit_now.accepting::varchar as told,
        '0' as held_against
    from unit_now
    where unit_now.status = 'closed' and unit_now.accepting > 0
    union all
    select
        'duplicate_unit' as issue,
        twins.unit_id,
        twins.others as told,
        null as held_against
    from twins
    union all
    select
        'approval_expired' as issue,
        unit_now.unit_id,
        unit_now.approved_until::varchar as told,
        $day::varchar as held_against
    from unit_now
    where unit_now.approved_until < $day
    union all
    select
        'approval_expires' as issue,
        unit_now.unit_id,
        unit_now.approved_until::varchar as told,
        ($day + $expiry_days::integer)::varchar as held_against
    from unit_now
    where unit_now.approved_until between $day and $day + $expiry_days::integer
    union all
    select
        'occupancy_disagrees' as issue,
        present_when_counted.unit_id,
        present_when_counted.persons::varchar as told,
        present_when_counted.occupied::varchar as held_against
    from present_when_counted
    where present_when_counted.persons <> present_when_counted.occupied
    union all
    select
        'occupancy_off_budget' as issue,
        unit_now.unit_id,
        round(last_year.occupancy_pct, 1)::varchar as told,
        unit_now.budgeted_occupancy_pct::varchar as held_against
    from unit_now
    inner join last_year on unit_now.unit_id = last_year.unit_id
    where
        unit_now.unit_id in (select stay.unit_id from stay)
        and abs(last_year.occupancy_pct - unit_now.budgeted_occupancy_pct) >= $deviation_points
),

named as (
    select
        issues.issue,
        issues.unit_id,
        unit_now.name,
        unit_now.municipality,
        unit_now.municipality_name,
        unit_now.operator,
        issues.told,
        issues.held_against,
        null::varchar as delivery,
        null::varchar as file,
        null::bigint as row
    from issues
    inner join unit_now on issues.unit_id = unit_now.unit_id
    union all by name
    select
        'stay_ends_before_start' as issue,
        finding.municipality,
        municipality.name as municipality_name,
        finding.value as held_against,
        finding.delivery,
        concat_ws(', ', finding.file, finding.sheet) as file,
        finding.row
    from finding
    left join municipality on finding.municipality = municipality.code
    where finding.rule = 'ends_after_it_starts'
)

select named.*
from named
order by named.issue, named.municipality_name, named.unit_id, named.delivery, named.file, named.row
