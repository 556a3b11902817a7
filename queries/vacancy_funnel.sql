-- One row is a filter in the order of the page: how many units, and open places in them, surely pass it and all filters before it.
-- Grain: filter, the first row being all units; parameters: as vacant_units, without $language and $occupancy_pct.
-- Read by: Ledige pladser.
with wanted as (
    -- One row: each group asked for, with what an approval may name to cover it.
    select list(struct_pack(target_group := reached.target_group, reach := reached.reach)) as asked_for
    from (
        select
            target_group_closure.ancestor as target_group,
            list(target_group_closure.descendant) as reach
        from target_group_closure
        where list_contains($groups::varchar[], target_group_closure.ancestor)
        group by target_group_closure.ancestor
    ) as reached
),

measured as (
    select
        unit_now.*,
        len(list_filter(
            wanted.asked_for,
            lambda asked: list_has_any(unit_now.covered_primary || unit_now.covered_secondary, asked.reach)
            and not list_contains(unit_now.covered_excluded, asked.target_group)
        )) as met,
        len(list_filter(wanted.asked_for, lambda asked: list_contains(unit_now.covered_excluded, asked.target_group))) as shut,
        case
            when unit_now.status = 'closed' then false
            when unit_now.status in ('waiting_list', 'needs_assessment') then null
            else true
        end as is_intake,
        case
            when unit_now.approval_status in ('suspended', 'withdrawn') then false
            when unit_now.approved_until < greatest($day, $open_by) and coalesce(unit_now.approval_status, '') <> 'not_required' then false
            when unit_now.approval_status is null or unit_now.approval_status = 'conditional' then null
            else true
        end as is_approved,
        date_diff('day', unit_now.confirmed_at, $day) as confirmed_days,
        case
            when date_diff('day', unit_now.confirmed_at, $day) <= $fresh_days then 'fresh'
            when date_diff('day', unit_now.confirmed_at, $day) <= $ageing_days then 'ageing'
            else 'stale'
        end as freshness,
        -- least() passes over null, so that an unknown point must be said.
        case
            when $lat + $lon + unit_now.lat + unit_now.lon is not null
                then 2 * 6371.0088 * asin(least(1, sqrt(
                    sin(radians(unit_now.lat - $lat) / 2) ** 2
                    + cos(radians($lat)) * cos(radians(unit_now.lat)) * sin(radians(unit_now.lon - $lon) / 2) ** 2
                )))
        end as km
    from unit_now
    cross join wanted
    -- The first filter, which most units do not pass: what comes later is looked at only for those that do.
    where
        coalesce($places, 'open') = 'all'
        or (
            unit_now.accepting + if($places = 'reserved', coalesce(unit_now.reserved, 0), 0) > 0
            and coalesce(unit_now.status not in ('closed', 'waiting_list', 'needs_assessment'), true)
            and unit_now.approval_status not in ('suspended', 'withdrawn', 'conditional')
            and not coalesce(unit_now.approved_until < greatest($day, $open_by) and unit_now.approval_status <> 'not_required', false)
        )
),

judged as (
    select
        measured.*,
        case
            when coalesce(len($groups::varchar[]), 0) = 0 then true
            when $all_groups and measured.shut > 0 then false
            when measured.shut = len(list_distinct($groups::varchar[])) then false
            when len(measured.primary_groups) + len(measured.secondary_groups) = 0 then null
            when $all_groups then measured.met = len(list_distinct($groups::varchar[]))
            else measured.met > 0
        end as is_group,
        coalesce(len($offer_types::varchar[]), 0) = 0 or list_contains($offer_types::varchar[], measured.offer_type) as is_type,
        $age is null or (measured.age_from <= $age and measured.age_to >= $age) as is_age,
        $support_level is null
        or (measured.support_level_from <= $support_level and measured.support_level_to >= $support_level) as is_support,
        $open_by is null or measured.accepting_from <= $open_by as is_in_time,
        coalesce(len($municipalities::varchar[]), 0) = 0 or list_contains($municipalities::varchar[], measured.municipality) as is_area,
        $max_km is null or measured.km <= $max_km as is_near,
        $max_rate_ore is null or measured.daily_rate_ore <= $max_rate_ore as is_rate,
        coalesce(len($operator_kinds::varchar[]), 0) = 0 or list_contains($operator_kinds::varchar[], measured.operator_kind) as is_operator,
        coalesce(len($night_covers::varchar[]), 0) = 0 or list_contains($night_covers::varchar[], measured.night_cover) as is_night,
        coalesce(len($freshness::varchar[]), 0) = 0 or list_contains($freshness::varchar[], measured.freshness) as is_fresh
    from measured
),

steps as (
    select unnest([
        (0, 'all_units', true),
        (1, 'places', coalesce($places, 'open') <> 'all'),
        (2, 'groups', coalesce(len($groups::varchar[]), 0) > 0),
        (3, 'offer_types', coalesce(len($offer_types::varchar[]), 0) > 0),
        (4, 'age', $age is not null),
        (5, 'support_level', $support_level is not null),
        (6, 'open_by', $open_by is not null),
        (7, 'municipalities', coalesce(len($municipalities::varchar[]), 0) > 0),
        (8, 'max_km', $max_km is not null),
        (9, 'max_rate', $max_rate_ore is not null),
        (10, 'operator_kinds', coalesce(len($operator_kinds::varchar[]), 0) > 0),
        (11, 'night_covers', coalesce(len($night_covers::varchar[]), 0) > 0),
        (12, 'freshness', coalesce(len($freshness::varchar[]), 0) > 0)
    ]) as step
),

reached as (
    select
        if(coalesce(judged.accepting > 0 and judged.is_intake and judged.is_approved, false), judged.accepting, 0) as accepting_sure,
        -- The first filter that a unit does not surely pass; one more than the last where it passes all.
        1 + coalesce(
            list_position(
                [
                    coalesce(judged.is_group, false),
                    coalesce(judged.is_type, false),
                    coalesce(judged.is_age, false),
                    coalesce(judged.is_support, false),
                    coalesce(judged.is_in_time, false),
                    coalesce(judged.is_area, false),
                    coalesce(judged.is_near, false),
                    coalesce(judged.is_rate, false),
                    coalesce(judged.is_operator, false),
                    coalesce(judged.is_night, false),
                    coalesce(judged.is_fresh, false)
                ],
                false
            ),
            12
        ) as stopped_at
    from judged
),

stopped as (
    select
        reached.stopped_at,
        count(*) as units,
        sum(reached.accepting_sure) as accepting_sure
    from reached
    group by reached.stopped_at
    union all
    select
        1 as stopped_at,
        (select count(*) from unit_now) - (select count(*) from reached) as units,
        0 as accepting_sure
)

select
    steps.step[1]::integer as nth,
    steps.step[2] as filter,
    steps.step[3] as active,
    coalesce(sum(stopped.units), 0)::bigint as remaining,
    coalesce(sum(stopped.accepting_sure), 0)::bigint as accepting
from steps
left join stopped on stopped.stopped_at > steps.step[1]
group by steps.step
order by nth
