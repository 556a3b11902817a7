-- One row is a municipality in the region it belongs to on a day.
-- Grain: region, municipality; parameters: $day.
-- Read by: every page's choice of region.
select
    region_membership.region,
    region.name as region_name,
    region_membership.municipality,
    municipality.name as municipality_name
from region_membership
inner join region on region_membership.region = region.code
inner join municipality on region_membership.municipality = municipality.code
where
    coalesce(region_membership.valid_from <= $day, true)
    and coalesce(region_membership.valid_to >= $day, true)
order by region.name collate da, region_membership.region, municipality.name collate da
