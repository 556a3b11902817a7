-- title.da: Hvem er godkendt til to målgrupper på én gang?
-- title.en: Which units are approved for two target groups at once?
-- explain.da: Afdelinger, hvis godkendelse dækker begge målgrupper, med pladser og takst. Svarer på »autisme og udadreagerende adfærd«.
-- explain.en: Units whose approval covers both target groups, with places and rate. Answers "autism and outward-reacting behaviour".
-- user: placement officer
-- param first: text = 9b3fd322-a75a-4ed8-9b74-425fa1e01c95
-- param second: text = e1b59a4a-9cc2-4113-a5f1-84af588b02a2
-- columns: unit_id, name, municipality_name, operator, maximum, occupied, accepting, daily_rate
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.operator,
    unit_now.maximum,
    unit_now.occupied,
    unit_now.accepting,
    unit_now.daily_rate_ore / 100 as daily_rate
from unit_now
where
    list_has_all(list_concat(unit_now.covered_primary, unit_now.covered_secondary), [$first, $second])
    and not list_has_any(unit_now.covered_excluded, [$first, $second])
order by unit_now.accepting desc nulls last, unit_now.unit_id asc
