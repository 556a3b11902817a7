-- title.da: Faktisk mod budgetteret belægning
-- title.en: Actual against budgeted occupancy
-- explain.da: Afdelinger, hvis belægning afviger 5 procentpoint eller mere fra den budgetterede; de skal indberettes.
-- explain.en: Units whose occupancy is 5 percentage points or more off the budgeted; they are to be reported.
-- user: analyst
-- columns: unit_id, name, municipality_name, budgeted_occupancy_pct, occupancy_pct, difference
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.budgeted_occupancy_pct,
    round(100 * unit_now.occupied / unit_now.maximum, 1) as occupancy_pct,
    round(100 * unit_now.occupied / unit_now.maximum - unit_now.budgeted_occupancy_pct, 1) as difference
from unit_now
where
    unit_now.maximum > 0
    and abs(100 * unit_now.occupied / unit_now.maximum - unit_now.budgeted_occupancy_pct) >= 5
order by abs(difference) desc, unit_now.unit_id
