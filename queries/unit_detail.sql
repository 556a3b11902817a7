-- One row is a unit with all that is known of it, names of codes in one language, and the deliveries that told it and its last count.
-- Grain: unit; parameters: $unit_id $language $day $fresh_days $ageing_days $occupancy_pct.
-- Read by: the unit's panel on Ledige pladser, Find match and Datakvalitet.
with names as (
    select map_from_entries(list((target_group.code, if($language = 'da', target_group.da, target_group.en)))) as words
    from target_group
)

select
    unit_now.* exclude (covered_primary, covered_secondary, covered_excluded, name, municipality_name),
    unit_now.name as unit_name,
    coalesce(unit_now.municipality_name, unit_now.municipality) as municipality_name,
    coalesce(offer_type.paragraph || ' · ', '') || if($language = 'da', offer_type.da, offer_type.en) as offer_type_name,
    list_sort(list_transform(unit_now.primary_groups, lambda code: coalesce(names.words[code], code))) as primary_names,
    list_sort(list_transform(unit_now.secondary_groups, lambda code: coalesce(names.words[code], code))) as secondary_names,
    list_sort(list_transform(unit_now.excluded_groups, lambda code: coalesce(names.words[code], code))) as excluded_names,
    round(unit_now.daily_rate_ore * unit_now.assumed_occupancy_pct / $occupancy_pct)::bigint as rate_normal_ore,
    date_diff('day', unit_now.confirmed_at, $day) as confirmed_days,
    case
        when date_diff('day', unit_now.confirmed_at, $day) <= $fresh_days then 'fresh'
        when date_diff('day', unit_now.confirmed_at, $day) <= $ageing_days then 'ageing'
        else 'stale'
    end as freshness,
    of_unit.delivery as unit_delivery,
    of_unit.as_of as unit_delivered_on,
    of_count.delivery as count_delivery,
    of_count.as_of as count_delivered_on
from unit_now
cross join names
left join offer_type on unit_now.offer_type = offer_type.code
left join unit on unit_now.unit_id = unit.unit_id
left join delivery as of_unit on unit.delivery_digest = of_unit.digest
left join capacity on unit_now.unit_id = capacity.unit_id and unit_now.as_of = capacity.as_of
left join delivery as of_count on capacity.delivery_digest = of_count.digest
where unit_now.unit_id = $unit_id
