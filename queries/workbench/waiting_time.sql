-- title.da: Hvor længe har behovene ventet?
-- title.en: How long have the needs waited?
-- explain.da: Åbne behov efter ventetid i hver region; null betyder, at antallet er skjult, fordi det er lille eller ville røbe et lille.
-- explain.en: Open needs by waiting time in each region; null means hidden, since the count is small or would give a small one away.
-- user: director
-- columns: area, value, persons, suppressed
select
    need_count.area,
    need_count.value,
    need_count.persons,
    need_count.suppressed
from need_count
where need_count.area_level = 'region' and need_count.dimension = 'waiting'
order by need_count.area, need_count.value
