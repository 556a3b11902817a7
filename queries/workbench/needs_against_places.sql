-- title.da: Venter der flere, end der er åbne pladser?
-- title.en: Do more wait than places are open?
-- explain.da: Åbne behov efter målgruppe (skjult, når de er få) mod pladser, der er åbne for gruppen, i hele landet.
-- explain.en: Open needs by target group (hidden where few) against places open for the group, in the whole country.
-- user: director
-- columns: target_group, da, waiting, hidden, accepting
select
    target_group.code as target_group,
    target_group.da,
    need_count.persons as waiting,
    need_count.suppressed as hidden,
    coalesce(sum(unit_now.accepting) filter (where coalesce(unit_now.status <> 'closed', true)), 0)::bigint as accepting
from need_count
inner join target_group on need_count.value = target_group.code
left join unit_now on list_contains(unit_now.covered_primary, target_group.code)
where need_count.area_level = 'country' and need_count.dimension = 'target_group'
group by all
order by waiting desc nulls last, target_group.da asc
