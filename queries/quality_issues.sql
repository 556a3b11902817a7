-- One row is something about a unit that somebody should look at: which check, what was told, and what it was held against.
-- Grain: check, unit (twice where a unit has two); parameters: $day, $ageing_days, $expiry_days, $deviation_points.
-- Read by: Datakvalitet, Overblik.
with present as (
    select
        stay.unit_id,
        count(*)::bigint as persons
    from stay
    where stay.starts_on <= $day and coalesce(stay.ends_on > $day, true)
    group by stay.unit_id
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
        'stale' as issue,
        unit_now.unit_id,
        unit_now.confirmed_at::varchar as told,
        ($day - $ageing_days::integer)::varchar as held_against
    from unit_now
    where coalesce(unit_now.confirmed_at < $day - $ageing_days::integer, true) and unit_now.maximum > 0
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
        'stay_ends_before_start' as issue,
        null as unit_id,
        finding.file || ', ' || coalesce(finding.row::varchar, '') as told,
        finding.value as held_against
    from finding
    where finding.rule = 'ends_after_it_starts'
    union all
    select
        'occupancy_disagrees' as issue,
        unit_now.unit_id,
        coalesce(present.persons, 0)::varchar as told,
        unit_now.occupied::varchar as held_against
    from unit_now
    left join present on unit_now.unit_id = present.unit_id
    where
        unit_now.unit_id in (select stay.unit_id from stay)
        and coalesce(present.persons, 0) <> unit_now.occupied
    union all
    select
        'occupancy_off_budget' as issue,
        unit_now.unit_id,
        round(last_year.occupancy_pct, 1)::varchar as told,
        unit_now.budgeted_occupancy_pct::varchar as held_against
    from unit_now
    inner join last_year on unit_now.unit_id = last_year.unit_id
    where abs(last_year.occupancy_pct - unit_now.budgeted_occupancy_pct) >= $deviation_points
)

select
    issues.issue,
    issues.unit_id,
    unit_now.name,
    unit_now.municipality,
    unit_now.municipality_name,
    unit_now.operator,
    issues.told,
    issues.held_against
from issues
left join unit_now on issues.unit_id = unit_now.unit_id
order by issues.issue, unit_now.municipality_name, issues.unit_id
