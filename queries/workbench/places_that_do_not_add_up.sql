-- title.da: Afdelinger, hvor pladserne ikke går op
-- title.en: Units whose places do not add up
-- explain.da: Belagt, reserveret og åben er tilsammen flere end maks., eller en lukket afdeling melder åbne pladser. Til opfølgning hos den, der
--   har bekræftet.
-- explain.en: Occupied, reserved and accepting exceed the maximum, or a closed unit reports open places. To follow up with whoever confirmed.
-- user: analyst
-- columns: unit_id, name, municipality_name, maximum, occupied, reserved, accepting, status, confirmed_by
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.maximum,
    unit_now.occupied,
    unit_now.reserved,
    unit_now.accepting,
    unit_now.status,
    unit_now.confirmed_by
from unit_now
where
    unit_now.occupied + coalesce(unit_now.reserved, 0) + unit_now.accepting > unit_now.maximum
    or (unit_now.status = 'closed' and unit_now.accepting > 0)
order by unit_now.unit_id
