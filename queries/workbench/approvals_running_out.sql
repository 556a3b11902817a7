-- title.da: Godkendelser, der snart udløber
-- title.en: Approvals that run out soon
-- explain.da: Afdelinger, hvis godkendelse slutter inden for et antal dage efter opgørelsesdagen, med de pladser, der står på spil.
-- explain.en: Units whose approval ends within a number of days of the warehouse's day, with the places at stake.
-- user: placement officer
-- param days: whole = 180
-- columns: unit_id, name, municipality_name, approval_status, approved_until, days_left, maximum, occupied
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.approval_status,
    unit_now.approved_until,
    date_diff('day', meta.as_of, unit_now.approved_until) as days_left,
    unit_now.maximum,
    unit_now.occupied
from unit_now
cross join meta
where date_diff('day', meta.as_of, unit_now.approved_until) between 0 and $days
order by unit_now.approved_until, unit_now.unit_id
