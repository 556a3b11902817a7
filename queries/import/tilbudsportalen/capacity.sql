-- One row is a department's number of places. The portal does not tell who lives there, so nothing is counted as open and nobody vouches.
-- Grain: unit, as_of; parameters: day (as_of, required), assume_full (ja: every place counts as occupied; else no rows at all).
-- Read by: samplads publish --profile tilbudsportalen.
-- noqa: disable=RF05,RF06
with numbered as (
    select
        *,
        row_number() over () as position
    from read_csv(getvariable('delivery') || '/*.csv', delim = ';', all_varchar = true, header = true, filename = true)
),

department as (
    select
        *,
        -- As a person counts: the header is row 1.
        position - min(position) over (partition by filename) + 2 as row_in_file
    from numbered
)

select
    "Afdelings-id" as unit_id,
    getvariable('day') as as_of,
    "Antal pladser" as maximum,
    "Antal pladser" as occupied,
    '0' as accepting,
    'needs_assessment' as status,
    parse_filename(filename) as _file,
    row_in_file as _row
from department
where lower(getvariable('assume_full')::varchar) in ('ja', 'yes', 'true')
order by "Afdelings-id"
