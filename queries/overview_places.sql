-- One row is the state of all places: counts in four states (open: those that surely are), how many open ones are fresh or confirmed this month, how many units.
-- Grain: one row; parameters: $day $fresh_days.
-- Read by: Overblik.
-- What is surely open is judged as in vacant_units; `accepting_unsure` are places that may be open, of units that have to say more.
with judged as (
    select
        unit_now.*,
        case
            when unit_now.status = 'closed' then false
            when unit_now.status in ('waiting_list', 'needs_assessment') then null
            else true
        end as is_intake,
        case
            when unit_now.approval_status in ('suspended', 'withdrawn') then false
            when unit_now.approved_until < $day and coalesce(unit_now.approval_status, '') <> 'not_required' then false
            when unit_now.approval_status is null or unit_now.approval_status = 'conditional' then null
            else true
        end as is_approved
    from unit_now
),

open_now as (
    select
        judged.* exclude (accepting),
        if(coalesce(judged.is_intake and judged.is_approved, false), judged.accepting, 0) as accepting,
        if((judged.is_intake and judged.is_approved) is null, judged.accepting, 0) as accepting_unsure
    from judged
)

select
    count(*) as units,
    count(distinct open_now.municipality) as municipalities,
    coalesce(sum(open_now.accepting), 0)::bigint as accepting,
    coalesce(sum(open_now.accepting_unsure), 0)::bigint as accepting_unsure,
    coalesce(sum(open_now.reserved), 0)::bigint as reserved,
    coalesce(sum(open_now.occupied), 0)::bigint as occupied,
    coalesce(sum(open_now.maximum), 0)::bigint as maximum,
    coalesce(sum(open_now.accepting) filter (where date_diff('day', open_now.confirmed_at, $day) <= $fresh_days), 0)::bigint as accepting_fresh,
    coalesce(
        sum(open_now.accepting) filter (where date_trunc('month', open_now.confirmed_at) = date_trunc('month', $day) and open_now.confirmed_at <= $day),
        0
    )::bigint as accepting_month,
    count(*) filter (where open_now.accepting > 0) as open_units,
    count(distinct open_now.municipality) filter (where open_now.accepting > 0) as open_municipalities,
    count(*) filter (where open_now.single_person and open_now.night_cover in ('awake', 'sleeping')) as night_units,
    count(distinct open_now.municipality) filter (
        where open_now.single_person and open_now.night_cover in ('awake', 'sleeping')
    ) as night_municipalities
from open_now
