-- title.da: Hvor meget er skjult i tallene om personer?
-- title.en: How much is hidden in the figures about persons?
-- explain.da: Rækker og skjulte rækker i hver tabel over personer. Tæl aldrig skjulte rækker som nul: brug totalen på et højere niveau.
-- explain.en: Rows and hidden rows in each table about persons. Never count hidden rows as zero: use the total of a higher level.
-- user: analyst
-- columns: table_name, area_level, rows, hidden, hidden_pct
with told as (
    select
'need_count' as table_name,
need_count.area_level,
need_count.suppressed
from need_count
    union all
    select
'stay_count' as table_name,
stay_count.area_level,
stay_count.suppressed
from stay_count
    union all
    select
'youth_count' as table_name,
youth_count.area_level,
youth_count.suppressed
from youth_count
    union all
    select
'night_incident_count' as table_name,
night_incident_count.area_level,
night_incident_count.suppressed
from night_incident_count
    union all
    select
'spend' as table_name,
'municipality' as area_level,
spend.suppressed
from spend
    union all
    select
'spend_total' as table_name,
'municipality' as area_level,
spend_total.suppressed
from spend_total
    union all
    select
'indicator' as table_name,
'municipality' as area_level,
indicator.suppressed
from indicator
)

select
    told.table_name,
    told.area_level,
    count(*) as rows,
    count(*) filter (where told.suppressed) as hidden,
    round(100 * avg(told.suppressed::integer), 1) as hidden_pct
from told
group by told.table_name, told.area_level
order by told.table_name, told.area_level
