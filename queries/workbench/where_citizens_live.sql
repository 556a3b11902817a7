-- title.da: Hvor bor regionens borgere?
-- title.en: Where do a region's citizens live?
-- explain.da: Ophold den seneste dag efter den region, der betaler, og den region, hvor afdelingen ligger; andelen uden for egen region.
-- explain.en: Stays on the latest day by the region that pays and the region in which the unit lies; the share outside their own region.
-- user: director
-- columns: area, located, persons, share_pct, elsewhere
with latest as (
    select *
    from stay_count
    -- Not the newest day with a stay: where nobody has one on the data's day, nobody lives anywhere.
    where stay_count.day = (select max(meta.as_of) from meta)
)

select
    latest.area,
    latest.value as located,
    latest.persons,
    round(100 * latest.persons / whole.persons, 1) as share_pct,
    latest.area != latest.value as elsewhere
from latest
inner join latest as whole on latest.area = whole.area and whole.area_level = 'region' and whole.dimension = 'all'
where latest.area_level = 'region' and latest.dimension = 'located_region'
order by latest.area asc, latest.persons desc nulls last
