-- title.da: Målgrupper med få pladser
-- title.en: Target groups with few places
-- explain.da: Antal afdelinger, kommuner og pladser, hvor målgruppen er primær; de tyndeste først. Grundlag for, hvad der bør bygges sammen om.
-- explain.en: Units, municipalities and places where the target group is primary; the thinnest first. Ground for what to build together.
-- user: director
-- columns: target_group, da, units, municipalities, maximum, accepting
select
    target_group.code as target_group,
    target_group.da,
    count(unit_now.unit_id) as units,
    count(distinct unit_now.municipality) as municipalities,
    coalesce(sum(unit_now.maximum), 0)::bigint as maximum,
    coalesce(sum(unit_now.accepting), 0)::bigint as accepting
from target_group
left join unit_now on list_contains(unit_now.covered_primary, target_group.code)
where target_group.kind = 'leaf'
group by target_group.code, target_group.da
order by maximum, target_group.da
