-- One row is an offer type of the reference; those that units are of come first.
-- Grain: offer type; parameters: none.
-- Read by: every page's choice of offer types.
with used as (
    select
        unit.offer_type,
        count(*) as units
    from unit
    where unit.offer_type is not null
    group by unit.offer_type
)

select
    offer_type.code,
    offer_type.da,
    offer_type.en,
    offer_type.paragraph,
    offer_type.residential,
    coalesce(used.units, 0)::bigint as units
from offer_type
left join used on offer_type.code = used.offer_type
order by used.units is null asc, offer_type.residential desc nulls last, offer_type.code asc
