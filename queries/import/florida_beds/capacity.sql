-- One row is a hospital's beds on the day of its file: staffed, taken, available. Thousands are written with a comma.
-- Grain: unit, as_of; parameters: none.
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

select
    filenumber as unit_id,
    told_on as as_of,
    replace("Total Staffed Bed Capacity", ',', '')::bigint as maximum,
    replace("Bed Census", ',', '')::bigint as occupied,
    replace(available, ',', '')::bigint as accepting,
    -- Whether a full hospital keeps a waiting list or is closed is not told.
    case when replace(available, ',', '')::bigint > 0 then 'open' end as status,
    told_on as confirmed_at,
    'AHCA bed census' as confirmed_by,
    parse_filename(filename) as _file,
    row_in_file as _row
from census
where filenumber <> 'All'
order by unit_id, as_of
