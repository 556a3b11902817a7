-- title.da: De nærmeste åbne pladser fra en kommune
-- title.en: The nearest open places from a municipality
-- explain.da: Afstand i fugleflugt fra kommunens punkt til afdelingen, i km, for afdelinger med en åben plads; de 50 nærmeste.
-- explain.en: Distance as the crow flies from the municipality's point to the unit, in km, for units with a place open; the nearest 50.
-- user: placement officer
-- param municipality: text = 259
-- columns: km, unit_id, name, municipality_name, offer_type, accepting, daily_rate
with origin as (
    select
        municipality.lat,
        municipality.lon
    from municipality
    where municipality.code = $municipality
)

select
    round(
        2 * 6371 * asin(sqrt(
            pow(sin(radians(unit_now.lat - origin.lat) / 2), 2)
            + cos(radians(origin.lat)) * cos(radians(unit_now.lat)) * pow(sin(radians(unit_now.lon - origin.lon) / 2), 2)
        )),
        1
    ) as km,
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.offer_type,
    unit_now.accepting,
    unit_now.daily_rate_ore / 100 as daily_rate
from unit_now
cross join origin
where unit_now.accepting > 0 and coalesce(unit_now.status <> 'closed', true) and unit_now.lat is not null
order by km, unit_now.unit_id
limit 50
