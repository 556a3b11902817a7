-- One row is a hospital of the state's daily bed census; the "All" total row is left out.
-- Grain: unit; parameters: municipality (all hospitals in one), else the county is looked up by code or name.
-- Read by: samplads publish --profile florida_beds.
with numbered as (
    select
        *,
        row_number() over () as position
    from read_csv(getvariable('delivery') || '/*.csv', all_varchar = true, header = true, filename = true)
),

census as (
    select
        *,
        -- As a person counts: the header is row 1. Reckoned before any row is left out.
        position - min(position) over (partition by filename) + 2 as row_in_file,
        regexp_extract(filename, '(\d{4}-\d{2}-\d{2})', 1) as told_on
    from numbered
)

select distinct on (census.filenumber)
    census.filenumber as unit_id,
    census.filenumber as offer_id,
    census.providername as name,
    coalesce(getvariable('municipality'), municipality.code, census.county) as municipality,
    -- The state licenses the hospital as a whole; no approval of units, as social offers have it, stands between a bed and a patient.
    'not_required' as approval_status,
    parse_filename(census.filename) as _file,
    census.row_in_file as _row
from census
left join municipality
    on getvariable('municipality') is null
    and upper(census.county) in (upper(municipality.code), upper(municipality.name))
where census.filenumber <> 'All'
order by census.filenumber asc, census.told_on desc
