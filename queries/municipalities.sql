-- One row is a municipality of the reference, with its point.
-- Grain: municipality; parameters: none.
-- Read by: every page's choice of municipality.
select
    municipality.code,
    municipality.name,
    municipality.region,
    municipality.population,
    municipality.lat,
    municipality.lon
from municipality
order by municipality.name collate da, municipality.code
