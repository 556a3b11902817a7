-- title.da: Belægning måned for måned i en region
-- title.en: Occupancy month by month in a region
-- explain.da: Belagte pladser i forhold til maks. efter opgørelsesmåned, med glidende gennemsnit over tre måneder.
-- explain.en: Occupied places against the maximum by month of count, with a moving average of three months.
-- user: analyst
-- param region: text = Sjælland
-- columns: month, units, maximum, occupied, occupancy_pct, average_of_three
with monthly as (
    select
        date_trunc('month', capacity.as_of)::date as month,
        count(distinct capacity.unit_id) as units,
        sum(capacity.maximum)::bigint as maximum,
        sum(capacity.occupied)::bigint as occupied
    from capacity
    inner join unit on capacity.unit_id = unit.unit_id
    inner join municipality on unit.municipality = municipality.code
    where municipality.region = $region
    group by all
)

select
    monthly.month,
    monthly.units,
    monthly.maximum,
    monthly.occupied,
    round(100 * monthly.occupied / nullif(monthly.maximum, 0), 1) as occupancy_pct,
    round(
        avg(100 * monthly.occupied / nullif(monthly.maximum, 0)) over (order by monthly.month rows between 2 preceding and current row), 1
    ) as average_of_three
from monthly
order by monthly.month
