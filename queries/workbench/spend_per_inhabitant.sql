-- title.da: Udgift pr. indbygger: pris eller mængde?
-- title.en: Spend per inhabitant: price or volume?
-- explain.da: Udgift pr. indbygger = modtagere pr. indbygger x udgift pr. modtager. Afvigelsen fra gennemsnittet delt i en del, der skyldes mængde,
--   og en del, der skyldes pris.
-- explain.en: Spend per inhabitant = recipients per inhabitant x cost per recipient. The deviation from the mean split into a part from volume and
--   a part from price.
-- user: analyst
-- param year: whole = 2025
-- columns: municipality, name, spend_per_inhabitant, recipients_per_1000, spend_per_recipient, from_volume, from_price
with told as (
    select
        municipality.code,
        municipality.name,
        municipality.population,
        spend_total.amount_ore / 100 as amount,
        spend_total.recipients
    from spend_total
    inner join municipality on spend_total.municipality = municipality.code
    where
        spend_total.year = $year
        and spend_total.recipients > 0
        and spend_total.amount_ore is not null
        and municipality.population > 0
),

mean as (
    select
        sum(told.recipients) / sum(told.population) as volume,
        sum(told.amount) / sum(told.recipients) as price
    from told
)

select
    told.code as municipality,
    told.name,
    round(told.amount / told.population) as spend_per_inhabitant,
    round(1000 * told.recipients / told.population, 2) as recipients_per_1000,
    round(told.amount / told.recipients) as spend_per_recipient,
    round((told.recipients / told.population - mean.volume) * mean.price) as from_volume,
    round((told.amount / told.recipients - mean.price) * told.recipients / told.population) as from_price
from told
cross join mean
order by spend_per_inhabitant desc
