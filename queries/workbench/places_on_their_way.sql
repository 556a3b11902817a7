-- title.da: Pladser på vej
-- title.en: Places on their way
-- explain.da: Planlagte pladser efter år, tilbudstype og sikkerhed, og lagt sammen over årene.
-- explain.en: Planned places by year, offer type and certainty, and summed over the years.
-- user: director
-- columns: opens_in, offer_type, certainty, places, places_so_far
with yearly as (
    select
        year(planned_capacity.opens_on) as opens_in,
        planned_capacity.offer_type,
        planned_capacity.certainty,
        sum(planned_capacity.places)::bigint as places
    from planned_capacity
    group by all
)

select
    yearly.opens_in,
    yearly.offer_type,
    yearly.certainty,
    yearly.places,
    sum(yearly.places) over (partition by yearly.offer_type, yearly.certainty order by yearly.opens_in)::bigint as places_so_far
from yearly
order by yearly.opens_in, yearly.offer_type, yearly.certainty
