-- title.da: Hvordan ligger taksten i forhold til tilsvarende tilbud?
-- title.en: How does the daily rate compare with similar offers?
-- explain.da: Takst pr. døgn for hver afdeling af en tilbudstype, dens afvigelse fra medianen i procent og dens kvartil. Sammenlign kun inden for
--   samme prisår og forudsat belægning.
-- explain.en: Daily rate of each unit of an offer type, its deviation from the median in percent, and its quartile. Compare only within the same
--   price year and assumed occupancy.
-- user: placement officer
-- param offer_type: text = A108
-- columns: unit_id, name, municipality_name, daily_rate, price_year, assumed_occupancy_pct, deviation_pct, quartile
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.daily_rate_ore / 100 as daily_rate,
    unit_now.price_year,
    unit_now.assumed_occupancy_pct,
    round(100 * (unit_now.daily_rate_ore / median(unit_now.daily_rate_ore) over (partition by unit_now.price_year) - 1), 1) as deviation_pct,
    ntile(4) over (partition by unit_now.price_year order by unit_now.daily_rate_ore) as quartile
from unit_now
where unit_now.offer_type = $offer_type and unit_now.daily_rate_ore is not null
order by deviation_pct desc, unit_now.unit_id asc
