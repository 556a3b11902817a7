-- title.da: Belægning i regionerne lige nu
-- title.en: Occupancy in the regions now
-- explain.da: Maks., belagt, reserveret og åben lagt sammen efter region og tilbudstype, og belægningsprocenten.
-- explain.en: Maximum, occupied, reserved and accepting summed by region and offer type, and the occupancy rate.
-- user: director
-- columns: region, offer_type, units, maximum, occupied, reserved, accepting, occupancy_pct
select
    municipality.region,
    unit_now.offer_type,
    count(*) as units,
    sum(unit_now.maximum)::bigint as maximum,
    sum(unit_now.occupied)::bigint as occupied,
    sum(unit_now.reserved)::bigint as reserved,
    sum(unit_now.accepting)::bigint as accepting,
    round(100 * sum(unit_now.occupied) / nullif(sum(unit_now.maximum), 0), 1) as occupancy_pct
from unit_now
inner join municipality on unit_now.municipality = municipality.code
group by municipality.region, unit_now.offer_type
order by municipality.region asc, maximum desc
