-- One row is a unit that no filter rules out, with its places, rate, approval and freshness; what it leaves untold is in `unknowns`.
-- Grain: unit; parameters: $day $language $lat $lon $fresh_days $ageing_days $occupancy_pct $places $groups $all_groups $offer_types $age $support_level $open_by $municipalities $max_km $max_rate_ore $operator_kinds $night_covers $freshness.
-- Read by: Ledige pladser, Overblik.
-- An empty list or null is no filter. A verdict is true, false or null (unknown). A target group is met by an approval of itself, of one above
-- it or of one below it, unless it is excluded. A rate is cost / (places x 365 x assumed occupancy), so the rate at the same occupancy for all
-- is rate x assumed_occupancy_pct / $occupancy_pct. Order: sure ones first, a stale confirmation never before a fresh one, then the nearest.
-- Intake and approval are judged as samplads/matching/eligibility.py judges them, on the later of $day and $open_by; $places = 'all' lists
-- units whatever they say of that. `accepting_sure` are the open places that surely can be had, 0 where one of the two is not sure.
with names as (
    select map_from_entries(list((target_group.code, if($language = 'da', target_group.da, target_group.en)))) as words
    from target_group
),

wanted as (
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
),

judged as (
    select
        measured.*,
        case $places
            when 'all' then true
            when 'reserved' then measured.accepting + coalesce(measured.reserved, 0) > 0
            else measured.accepting > 0
        end as is_open,
        coalesce($places, 'open') = 'all' or measured.is_intake as is_admitting,
        coalesce($places, 'open') = 'all' or measured.is_approved as is_permitted,
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
)

select
    judged.unit_id,
    judged.name as unit_name,
    judged.offer_name,
    judged.operator,
    judged.operator_kind,
    judged.municipality,
    coalesce(judged.municipality_name, judged.municipality) as municipality_name,
    judged.lat,
    judged.lon,
    judged.km,
    judged.accepting,
    if(coalesce(judged.accepting > 0 and judged.is_intake and judged.is_approved, false), judged.accepting, 0) as accepting_sure,
    judged.reserved,
    judged.occupied,
    judged.maximum,
    judged.accepting_from,
    judged.status,
    judged.daily_rate_ore,
    round(judged.daily_rate_ore * judged.assumed_occupancy_pct / $occupancy_pct)::bigint as rate_normal_ore,
    judged.price_year,
    judged.assumed_occupancy_pct,
    judged.night_cover,
    judged.freshness,
    judged.confirmed_days,
    judged.confirmed_by,
    judged.confirmed_at,
    judged.as_of,
    judged.offer_type,
    coalesce(offer_type.paragraph || ' · ', '') || if($language = 'da', offer_type.da, offer_type.en) as offer_type_name,
    list_sort(list_transform(judged.primary_groups, lambda code: coalesce(names.words[code], code))) as primary_names,
    list_sort(list_transform(judged.secondary_groups, lambda code: coalesce(names.words[code], code))) as secondary_names,
    list_sort(list_transform(judged.excluded_groups, lambda code: coalesce(names.words[code], code))) as excluded_names,
    judged.age_from,
    judged.age_to,
    judged.support_level_from,
    judged.support_level_to,
    judged.approval_status,
    judged.approved_until,
    judged.single_person,
    judged.notice_days,
    list_filter(
        [
            if(judged.is_open is null, 'places', null),
            if(judged.is_admitting is null, 'intake', null),
            if(judged.is_permitted is null, 'approval', null),
            if(judged.is_group is null, 'groups', null),
            if(judged.is_type is null, 'offer_types', null),
            if(judged.is_age is null, 'age', null),
            if(judged.is_support is null, 'support_level', null),
            if(judged.is_in_time is null, 'open_by', null),
            if(judged.is_area is null, 'municipalities', null),
            if(judged.is_near is null, 'max_km', null),
            if(judged.is_rate is null, 'max_rate', null),
            if(judged.is_operator is null, 'operator_kinds', null),
            if(judged.is_night is null, 'night_covers', null),
            if(judged.is_fresh is null, 'freshness', null)
        ],
        lambda name: name is not null
    ) as unknowns
from judged
cross join names
left join offer_type on judged.offer_type = offer_type.code
where
    coalesce(judged.is_open, true)
    and coalesce(judged.is_admitting, true)
    and coalesce(judged.is_permitted, true)
    and coalesce(judged.is_group, true)
    and coalesce(judged.is_type, true)
    and coalesce(judged.is_age, true)
    and coalesce(judged.is_support, true)
    and coalesce(judged.is_in_time, true)
    and coalesce(judged.is_area, true)
    and coalesce(judged.is_near, true)
    and coalesce(judged.is_rate, true)
    and coalesce(judged.is_operator, true)
    and coalesce(judged.is_night, true)
    and coalesce(judged.is_fresh, true)
order by
    len(unknowns) > 0 asc,
    case judged.freshness when 'fresh' then 0 when 'ageing' then 1 else 2 end asc,
    judged.km asc nulls last,
    rate_normal_ore asc nulls last,
    judged.unit_id asc
