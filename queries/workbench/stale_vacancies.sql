-- title.da: Ledige pladser, som ingen har bekræftet længe
-- title.en: Vacancies that nobody has confirmed for long
-- explain.da: Åbne pladser, hvis sidste bekræftelse er ældre end et antal dage (eller mangler). Ring, før du regner med dem.
-- explain.en: Places accepting whose last confirmation is older than a number of days (or is missing). Call before you count on them.
-- user: placement officer
-- param days: whole = 90
-- columns: unit_id, name, municipality_name, accepting, confirmed_by, confirmed_at, days_since
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.accepting,
    unit_now.confirmed_by,
    unit_now.confirmed_at,
    date_diff('day', unit_now.confirmed_at, meta.as_of) as days_since
from unit_now
cross join meta
where
    unit_now.accepting > 0
    and coalesce(unit_now.status <> 'closed', true)
    and coalesce(date_diff('day', unit_now.confirmed_at, meta.as_of) > $days, true)
order by days_since desc nulls first, unit_now.unit_id asc
