-- One row is a hospital of the state's daily bed census; the "All" total row is left out.
-- Grain: unit; parameters: municipality (all hospitals in one), else the county is looked up by code or name.
-- Read by: samplads publish --profile florida_beds.
with census as (
    select
        *,
        regexp_extract(filename, '(\d{4}-\d{2}-\d{2})', 1) as as_of
    from read_csv(getvariable('delivery') || '/*.csv', all_varchar = true, header = true, filename = true)
    where filenumber <> 'All'
)

select distinct on (census.filenumber)
    census.filenumber as unit_id,
    census.filenumber as offer_id,
    census.providername as name,
    coalesce(getvariable('municipality'), municipality.code, census.county) as municipality,
    -- The state licenses the hospital as a whole; no approval of units, as social offers have it, stands between a bed and a patient.
    'not_required' as approval_status
from census
left join municipality
    on getvariable('municipality') is null
    and upper(census.county) in (upper(municipality.code), upper(municipality.name))
order by census.filenumber asc, census.as_of desc
