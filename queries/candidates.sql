-- One row is a need and a unit that suits it surely, with the open points of samplads/matching/score.py and what ranks the pair.
-- Grain: need, unit; parameters: $as_of, $municipalities (of the needs; null is all), $more_places (units open as if they had a place), $dropped
-- (rules of limits that do not hold), $weights (points by criterion), $scales, $operator_share_pct, $tiers, $fresh_days, $ageing_days.
-- Read by: Samlet fordeling. Needs are few different in what they ask for: groups are judged once a combination, distances once a municipality.
with needs as (
    select
        need.need_id,
        need.municipality,
        need.age,
        need.support_level,
        need.max_daily_rate_ore,
        need.current_unit,
        need.wish_setting,
        need.wanted_from is not null as has_day,
        need.least_night_cover is not null as has_cover,
        list_position(['none', 'on_call', 'sleeping', 'awake'], need.least_night_cover) - 1 as least_cover,
        greatest(coalesce(need.wanted_from, $as_of), $as_of) as move_day,
        floor(need.max_km * 1000 + 0.5)::bigint as max_metres,
        coalesce(need.offer_types, []) as offer_types,
        coalesce(need.wish_near, []) as wish_near,
        list_sort(list_distinct(coalesce(need.target_groups, []))) as asked
    from need
    where coalesce(need.status, 'open') = 'open' and ($municipalities is null or need.municipality in $municipalities)
),

units as (
    select
        unit_now.unit_id,
        unit_now.municipality,
        unit_now.lat,
        unit_now.lon,
        unit_now.offer_type,
        unit_now.age_from,
        unit_now.age_to,
        unit_now.support_level_from,
        unit_now.support_level_to,
        unit_now.daily_rate_ore,
        unit_now.single_person,
        unit_now.operator_kind,
        unit_now.accepting_from,
        unit_now.covered_primary,
        unit_now.covered_secondary,
        unit_now.covered_excluded,
        unit_now.excluded_groups,
        list_position(['none', 'on_call', 'sleeping', 'awake'], unit_now.night_cover) - 1 as cover,
        case when unit_now.approval_status = 'not_required' then null else unit_now.approved_until end as approved_until,
        date_diff('day', unit_now.confirmed_at, $as_of) as confirmed_days
    from unit_now
    where
        (
            (unit_now.accepting >= 1 and coalesce(unit_now.status, 'open') = 'open')
            or list_contains($more_places, unit_now.unit_id)
        )
        and unit_now.approval_status in ('approved', 'not_required')
),

combinations as (
    select distinct
        needs.asked,
        len(needs.asked) as groups_asked
    from needs
    where len(needs.asked) > 0
),

asked_groups as (
    select
        combinations.asked,
        unnest(combinations.asked) as target_group
    from combinations
),

coverage as (
    select
        told.unit_id,
        told.target_group,
        max(told.share) as share
    from (
        select
            units.unit_id,
            unnest(units.covered_primary) as target_group,
            2 as share
        from units
        union all
        select
            units.unit_id,
            unnest(units.covered_secondary) as target_group,
            1 as share
        from units
    ) as told
    group by told.unit_id, told.target_group
),

-- A unit that does not take a group, one above it, or a part of it.
refusals as (
    select
        units.unit_id,
        unnest(units.covered_excluded) as target_group
    from units
    union
    select
        refused.unit_id,
        target_group_closure.ancestor as target_group
    from (
        select
            units.unit_id,
            unnest(units.excluded_groups) as target_group
        from units
    ) as refused
    inner join target_group_closure on refused.target_group = target_group_closure.descendant
),

refused_combinations as (
    select distinct
        asked_groups.asked,
        refusals.unit_id
    from asked_groups
    inner join refusals on asked_groups.target_group = refusals.target_group
),

suited as (
    select
        asked_groups.asked,
        coverage.unit_id,
        ($weights).target_groups * sum(coverage.share)::bigint // (2 * any_value(combinations.groups_asked)) as points_target_groups
    from asked_groups
    inner join combinations on asked_groups.asked = combinations.asked
    inner join coverage on asked_groups.target_group = coverage.target_group
    group by asked_groups.asked, coverage.unit_id
    having count(*) = any_value(combinations.groups_asked)
),

asking_nothing as (
    select distinct needs.asked
    from needs
    where len(needs.asked) = 0
),

by_groups as (
    select suited.*
    from suited
    anti join refused_combinations on suited.asked = refused_combinations.asked and suited.unit_id = refused_combinations.unit_id
    union all
    select
        asking_nothing.asked,
        units.unit_id,
        0 as points_target_groups
    from units
    cross join asking_nothing
),

near as (
    select needs.municipality from needs
    union
    select unnest(needs.wish_near) as municipality from needs
),

distances as (
    select
        municipality.code as municipality,
        units.unit_id,
        floor(
            2 * 6371008.8 * asin(least(1, sqrt(
                pow(sin(radians(units.lat - municipality.lat) / 2), 2)
                + cos(radians(municipality.lat)) * cos(radians(units.lat)) * pow(sin(radians(units.lon - municipality.lon) / 2), 2)
            ))) + 0.5
        )::bigint as metres
    from municipality
    cross join units
    where municipality.lat is not null and municipality.code in (select near.municipality from near)
),

eligible as (
    select
        needs.need_id,
        needs.wish_near,
        needs.wish_setting,
        needs.has_cover,
        needs.least_cover,
        needs.has_day,
        needs.move_day,
        units.*,
        distances.metres,
        by_groups.points_target_groups
    from needs
    inner join by_groups on needs.asked = by_groups.asked
    inner join units on by_groups.unit_id = units.unit_id
    left join distances on needs.municipality = distances.municipality and units.unit_id = distances.unit_id
    where
        (len(needs.offer_types) = 0 or list_contains(needs.offer_types, units.offer_type) or list_contains($dropped, 'offer_type'))
        and (needs.age is null or needs.age between units.age_from and units.age_to)
        and (
            needs.support_level is null
            or needs.support_level between units.support_level_from and units.support_level_to
            or list_contains($dropped, 'support_level')
        )
        and (coalesce(needs.least_cover, 0) = 0 or units.cover >= needs.least_cover or list_contains($dropped, 'night_cover'))
        and (
            not needs.has_day
            or units.accepting_from <= needs.move_day
            or list_contains($dropped, 'open_by')
            or list_contains($more_places, units.unit_id)
        )
        and (needs.max_daily_rate_ore is null or units.daily_rate_ore <= needs.max_daily_rate_ore or list_contains($dropped, 'price'))
        and (needs.max_metres is null or distances.metres <= needs.max_metres or list_contains($dropped, 'distance'))
        and coalesce(units.approved_until >= needs.move_day, true)
        and (needs.current_unit is null or needs.current_unit <> units.unit_id)
),

wished as (
    select
        asked_near.need_id,
        asked_near.unit_id,
        max(
            case
                when asked_near.wish = asked_near.municipality then ($weights).wish_near
                else ($weights).wish_near
                    - least(($weights).wish_near, ($weights).wish_near * distances.metres // (1000 * ($scales).wish_near_zero_km))
            end
        ) as points_wish_near
    from (
        select
            eligible.need_id,
            eligible.unit_id,
            eligible.municipality,
            unnest(eligible.wish_near) as wish
        from eligible
    ) as asked_near
    left join distances on asked_near.wish = distances.municipality and asked_near.unit_id = distances.unit_id
    group by asked_near.need_id, asked_near.unit_id
),

referenced as (
    select
        eligible.*,
        min(eligible.daily_rate_ore) over (partition by eligible.need_id, eligible.offer_type) as reference_ore
    from eligible
),

scored as (
    select
        referenced.need_id,
        referenced.unit_id,
        referenced.metres,
        referenced.daily_rate_ore,
        referenced.points_target_groups
        + coalesce(
            ($weights).distance
            - least(($weights).distance, ($weights).distance * referenced.metres // (1000 * ($scales).distance_zero_km)),
            0
        )
        + case
            when referenced.daily_rate_ore is null then 0
            when referenced.daily_rate_ore <= referenced.reference_ore then ($weights).price
            when
                100 * (referenced.daily_rate_ore - referenced.reference_ore)
                <= ($scales).reference_tolerance_pct * referenced.reference_ore
                then ($weights).price
                    - ($weights).price * 100 * (referenced.daily_rate_ore - referenced.reference_ore)
                    // greatest(1, 2 * ($scales).reference_tolerance_pct * referenced.reference_ore)
            else 0
        end
        + coalesce(
            ($weights).operator_kind * case referenced.operator_kind
                when 'municipal' then ($operator_share_pct).municipal
                when 'regional' then ($operator_share_pct).regional
                when 'self_owning' then ($operator_share_pct).self_owning
                when 'private' then ($operator_share_pct).private
            end // 100,
            0
        )
        + case
            when not referenced.has_cover or referenced.cover is null or referenced.cover < referenced.least_cover then 0
            else ($weights).night_cover - ($weights).night_cover * (referenced.cover - referenced.least_cover) // 3
        end
        + case
            when not referenced.has_day or coalesce(referenced.accepting_from > referenced.move_day, true) then 0
            else ($weights).date - least(
                ($weights).date,
                ($weights).date * date_diff('day', greatest(referenced.accepting_from, $as_of), referenced.move_day)
                // ($scales).date_zero_days
            )
        end
        + case
            when referenced.confirmed_days is null then 0
            else ($weights).freshness
                - least(($weights).freshness, ($weights).freshness * greatest(0, referenced.confirmed_days) // $ageing_days)
        end
        + case
            when referenced.wish_setting is null or referenced.single_person is null then 0
            when referenced.single_person = (referenced.wish_setting = 'alone') then ($weights).wish_setting
            else 0
        end as points_without_place,
        case
            when coalesce(referenced.confirmed_days > $ageing_days, true) then ($tiers).stale
            when referenced.confirmed_days > $fresh_days then ($tiers).ageing
            else ($tiers).fresh
        end as tier
    from referenced
)

select
    scored.need_id,
    scored.unit_id,
    (
        scored.points_without_place + coalesce(wished.points_wish_near, 0)
        + 1000 * (greatest(($tiers).fresh, ($tiers).ageing, ($tiers).stale) - scored.tier)
    )::bigint as points,
    (scored.points_without_place + coalesce(wished.points_wish_near, 0))::bigint as match_points,
    scored.tier::bigint as tier,
    scored.metres,
    scored.daily_rate_ore
from scored
left join wished on scored.need_id = wished.need_id and scored.unit_id = wished.unit_id
order by scored.need_id, scored.unit_id
