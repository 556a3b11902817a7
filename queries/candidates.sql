-- One row is a need and a unit that suits it surely, with the open points of samplads/matching/score.py and what ranks the pair.
-- Grain: need, unit; parameters: $as_of, $municipalities, $more_places, $dropped, $full_units, $weights, $scales and the rest of the points.
-- Read by: Samlet fordeling.
-- $municipalities are those of the needs (null is all); $more_places are units that count as open, as if they had a place; $dropped are rules
-- of limits that do not hold; $full_units asks for the pairs of full units that are not closed, as if each had a place, instead of open ones;
-- the points are by $weights, $scales, $operator_share_pct, and the freshness by $tiers, $fresh_days and $ageing_days.
-- Needs differ little in what they ask for: groups and types are judged once a combination, distances once a municipality; whole-number keys
-- and materialized steps keep the joins in that order.
with told as materialized (
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

combinations as materialized (
    select
        row_number() over () as combination,
        asking.*
    from (
        select distinct
            told.asked,
            told.offer_types,
            len(told.asked) as groups_asked
        from told
    ) as asking
),

needs as materialized (
    select
        told.* exclude (asked, offer_types),
        combinations.combination
    from told
    inner join combinations on told.asked = combinations.asked and told.offer_types = combinations.offer_types
),

units as materialized (
    select
        row_number() over () as unit_no,
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
        date_diff('day', unit_now.confirmed_at, $as_of) as confirmed_days,
        coalesce(unit_now.accepting >= 1, false) and coalesce(unit_now.status, 'open') = 'open' as is_open,
        (coalesce(unit_now.accepting < 1, true) or coalesce(unit_now.status, 'open') <> 'open')
        and not list_contains($more_places, unit_now.unit_id) as is_full
    from unit_now
    where
        (
            (unit_now.accepting >= 1 and coalesce(unit_now.status, 'open') = 'open')
            or list_contains($more_places, unit_now.unit_id)
            or ($full_units and unit_now.accepting < 1 and coalesce(unit_now.status, 'open') <> 'closed')
        )
        and unit_now.approval_status in ('approved', 'not_required')
),

asked_groups as (
    select
        combinations.combination,
        unnest(combinations.asked) as target_group
    from combinations
),

approved as (
    select
        units.unit_no,
        unnest(units.covered_primary) as target_group,
        2 as share
    from units
    union all
    select
        units.unit_no,
        unnest(units.covered_secondary) as target_group,
        1 as share
    from units
),

coverage as (
    select
        approved.unit_no,
        approved.target_group,
        max(approved.share) as share
    from approved
    group by approved.unit_no, approved.target_group
),

refused_groups as (
    select
        units.unit_no,
        unnest(units.excluded_groups) as target_group
    from units
),

-- A unit that does not take a group, one above it, or a part of it.
refusals as (
    select
        units.unit_no,
        unnest(units.covered_excluded) as target_group
    from units
    union
    select
        refused_groups.unit_no,
        target_group_closure.ancestor as target_group
    from refused_groups
    inner join target_group_closure on refused_groups.target_group = target_group_closure.descendant
),

refused_combinations as (
    select distinct
        asked_groups.combination,
        refusals.unit_no
    from asked_groups
    inner join refusals on asked_groups.target_group = refusals.target_group
),

suited as (
    select
        asked_groups.combination,
        coverage.unit_no,
        ($weights).target_groups * sum(coverage.share)::bigint // (2 * any_value(combinations.groups_asked)) as points_target_groups
    from asked_groups
    inner join combinations on asked_groups.combination = combinations.combination
    inner join coverage on asked_groups.target_group = coverage.target_group
    group by asked_groups.combination, coverage.unit_no
    having count(*) = any_value(combinations.groups_asked)
),

by_groups as (
    select suited.*
    from suited
    anti join refused_combinations on suited.combination = refused_combinations.combination and suited.unit_no = refused_combinations.unit_no
    union all
    select
        combinations.combination,
        units.unit_no,
        0 as points_target_groups
    from units
    cross join combinations
    where combinations.groups_asked = 0
),

-- With the unit's facts: joined here, where it is small, so that the needs meet one table on one key.
by_kind as materialized (
    select
        by_groups.combination,
        by_groups.points_target_groups,
        units.* exclude (covered_primary, covered_secondary, covered_excluded, excluded_groups, lat, lon)
    from by_groups
    inner join combinations on by_groups.combination = combinations.combination
    inner join units on by_groups.unit_no = units.unit_no
    where
        len(combinations.offer_types) = 0
        or list_contains(combinations.offer_types, units.offer_type)
        or list_contains($dropped, 'offer_type')
),

near as (
    select needs.municipality from needs
    union
    select unnest(needs.wish_near) as municipality from needs
),

distances as materialized (
    select
        municipality.code as municipality,
        units.unit_no,
        floor(
            2 * 6371008.8 * asin(least(1, sqrt(
                pow(sin(radians(units.lat - municipality.lat) / 2), 2)
                + cos(radians(municipality.lat)) * cos(radians(units.lat)) * pow(sin(radians(units.lon - municipality.lon) / 2), 2)
            ))) + 0.5
        )::bigint as metres
    from municipality
    cross join units
    where
        -- least() passes over nulls: an unknown point would be half a world away.
        municipality.lat is not null
        and municipality.lon is not null
        and units.lat is not null
        and units.lon is not null
        and municipality.code in (select near.municipality from near)
),

suitable as materialized (
    select
        needs.need_id,
        needs.municipality as acting_municipality,
        needs.max_metres,
        needs.wish_setting,
        needs.has_cover,
        needs.least_cover,
        needs.has_day,
        needs.move_day,
        by_kind.unit_no,
        by_kind.offer_type,
        by_kind.daily_rate_ore,
        by_kind.single_person,
        by_kind.operator_kind,
        by_kind.accepting_from,
        by_kind.cover,
        by_kind.confirmed_days,
        by_kind.is_open,
        by_kind.is_full,
        by_kind.points_target_groups
    from needs
    inner join by_kind on needs.combination = by_kind.combination
    where
        (needs.age is null or needs.age between by_kind.age_from and by_kind.age_to)
        and (
            needs.support_level is null
            or needs.support_level between by_kind.support_level_from and by_kind.support_level_to
            or list_contains($dropped, 'support_level')
        )
        and (coalesce(needs.least_cover, 0) = 0 or by_kind.cover >= needs.least_cover or list_contains($dropped, 'night_cover'))
        and (
            not needs.has_day
            or by_kind.accepting_from <= needs.move_day
            or list_contains($dropped, 'open_by')
            -- A place that is thought of is there from today; one more beside real ones opens when they do.
            or not by_kind.is_open
        )
        and (needs.max_daily_rate_ore is null or by_kind.daily_rate_ore <= needs.max_daily_rate_ore or list_contains($dropped, 'price'))
        and coalesce(by_kind.approved_until >= needs.move_day, true)
        and (needs.current_unit is null or needs.current_unit <> by_kind.unit_id)
),

-- Pairs are many: what can be had from the need or the unit by its key is joined where it is asked for.
eligible as materialized (
    select
        suitable.* exclude (acting_municipality, max_metres),
        distances.metres
    from suitable
    left join distances on suitable.acting_municipality = distances.municipality and suitable.unit_no = distances.unit_no
    where suitable.max_metres is null or distances.metres <= suitable.max_metres or list_contains($dropped, 'distance')
),

asked_near as (
    select
        eligible.need_id,
        eligible.unit_no,
        units.municipality,
        unnest(needs.wish_near) as wish
    from eligible
    inner join needs on eligible.need_id = needs.need_id
    inner join units on eligible.unit_no = units.unit_no
    where len(needs.wish_near) > 0 and eligible.is_full = $full_units
),

wished as (
    select
        asked_near.need_id,
        asked_near.unit_no,
        max(
            case
                when asked_near.wish = asked_near.municipality then ($weights).wish_near
                else ($weights).wish_near
                    - least(($weights).wish_near, ($weights).wish_near * distances.metres // (1000 * ($scales).wish_near_zero_km))
            end
        ) as points_wish_near
    from asked_near
    left join distances on asked_near.wish = distances.municipality and asked_near.unit_no = distances.unit_no
    group by asked_near.need_id, asked_near.unit_no
),

-- The reference offer is the cheapest that really is open: a place that is thought of changes nobody's points. Where nothing of the type is
-- open, a unit is its own reference.
referenced as (
    select
        eligible.*,
        coalesce(
            min(eligible.daily_rate_ore) filter (where eligible.is_open) over (partition by eligible.need_id, eligible.offer_type),
            eligible.daily_rate_ore
        ) as reference_ore
    from eligible
),

scored as (
    select
        referenced.need_id,
        referenced.unit_no,
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
    where referenced.is_full = $full_units
)

select
    scored.need_id,
    units.unit_id,
    (
        scored.points_without_place + coalesce(wished.points_wish_near, 0)
        + 1000 * (greatest(($tiers).fresh, ($tiers).ageing, ($tiers).stale) - scored.tier)
    )::bigint as points,
    (scored.points_without_place + coalesce(wished.points_wish_near, 0))::bigint as match_points,
    scored.tier::bigint as tier,
    scored.metres,
    scored.daily_rate_ore
from scored
inner join units on scored.unit_no = units.unit_no
left join wished on scored.need_id = wished.need_id and scored.unit_no = wished.unit_no
order by scored.need_id, units.unit_id
