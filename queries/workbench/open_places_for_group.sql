-- title.da: Hvor er der åbne pladser til en målgruppe?
-- title.en: Where are places open for a target group?
-- explain.da: Afdelinger, der er godkendt til målgruppen (eller en, der omfatter den) og har mindst én plads åben for indflytning. Den nyest
--   bekræftede står øverst; takst i kroner pr. døgn.
-- explain.en: Units approved for the target group (or one that covers it) with at least one place accepting. The most recently confirmed comes
--   first; daily rate in kroner.
-- user: placement officer
-- param target_group: text = 9b3fd322-a75a-4ed8-9b74-425fa1e01c95
-- columns: unit_id, name, municipality_name, accepting, accepting_from, confirmed_at, daily_rate, price_year
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.accepting,
    unit_now.accepting_from,
    unit_now.confirmed_at,
    unit_now.daily_rate_ore / 100 as daily_rate,
    unit_now.price_year
from unit_now
where
    unit_now.accepting > 0
    and coalesce(unit_now.status <> 'closed', true)
    and (list_contains(unit_now.covered_primary, $target_group) or list_contains(unit_now.covered_secondary, $target_group))
order by unit_now.confirmed_at desc nulls last, unit_now.unit_id asc
