-- One row is a hospital's beds on the day of its file: staffed, taken, available. Thousands are written with a comma.
-- Grain: unit, as_of; parameters: none.
-- Read by: samplads publish --profile florida_beds.
select
    filenumber as unit_id,
    regexp_extract(filename, '(\d{4}-\d{2}-\d{2})', 1) as as_of,
    replace("Total Staffed Bed Capacity", ',', '')::bigint as maximum,
    replace("Bed Census", ',', '')::bigint as occupied,
    replace(available, ',', '')::bigint as accepting,
    case when replace(available, ',', '')::bigint > 0 then 'open' else 'waiting_list' end as status,
    regexp_extract(filename, '(\d{4}-\d{2}-\d{2})', 1) as confirmed_at,
    'AHCA bed census' as confirmed_by,
    parse_filename(filename) as _file
from read_csv(getvariable('delivery') || '/*.csv', all_varchar = true, header = true, filename = true)
where filenumber <> 'All'
order by unit_id, as_of
