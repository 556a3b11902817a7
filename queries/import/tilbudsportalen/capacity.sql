-- One row is a department's number of places. The portal does not tell who lives there, so nothing is counted as open and nobody vouches.
-- Grain: unit, as_of; parameters: day (as_of, required), assume_full (ja: every place counts as occupied; else no rows at all).
-- Read by: samplads publish --profile tilbudsportalen.
-- noqa: disable=RF05,RF06
select
    "Afdelings-id" as unit_id,
    getvariable('day') as as_of,
    "Antal pladser" as maximum,
    "Antal pladser" as occupied,
    '0' as accepting,
    'needs_assessment' as status
from read_csv(getvariable('delivery') || '/*.csv', delim = ';', all_varchar = true, header = true)
where lower(getvariable('assume_full')::varchar) in ('ja', 'yes', 'true')
order by "Afdelings-id"
