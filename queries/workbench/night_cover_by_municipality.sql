-- title.da: Natdækning i kommunerne
-- title.en: Night cover in the municipalities
-- explain.da: Antal afdelinger efter natdækning i hver kommune, og hvor stor en del af dem, der oplyser natdækning, der har vågen vagt.
-- explain.en: Units by night cover in each municipality, and how large a share of those that tell their cover has an awake guard.
-- user: director
-- columns: municipality_name, units, awake, sleeping, on_call, none, awake_pct
select
    unit_now.municipality_name,
    count(*) as units,
    count(*) filter (where unit_now.night_cover = 'awake') as awake,
    count(*) filter (where unit_now.night_cover = 'sleeping') as sleeping,
    count(*) filter (where unit_now.night_cover = 'on_call') as on_call,
    count(*) filter (where unit_now.night_cover = 'none') as none,
    round(100 * avg((unit_now.night_cover = 'awake')::integer), 1) as awake_pct
from unit_now
group by unit_now.municipality_name
order by units desc, unit_now.municipality_name asc
