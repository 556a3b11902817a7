-- title.da: 14-18-årige med forventet behov
-- title.en: 14 to 18-year-olds with an expected need
-- explain.da: Unge efter alder i hver region: så mange kan få brug for en voksenplads i de år, de fylder 18.
-- explain.en: Youths by age in each region: as many may need an adult place in the years in which they turn 18.
-- user: director
-- columns: area, turns_18_within_years, persons, suppressed
select
    youth_count.area,
    greatest(0, 18 - try_cast(youth_count.value as integer)) as turns_18_within_years,
    youth_count.persons,
    youth_count.suppressed
from youth_count
where youth_count.area_level = 'region' and youth_count.dimension = 'age'
order by youth_count.area, turns_18_within_years
