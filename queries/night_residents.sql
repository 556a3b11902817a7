-- One row is a stay that is under way on a day in a unit with a night roster: who pays and what it costs, without saying who lives there.
-- Grain: stay under way; parameters: $as_of.
-- Read by: Fælles nattevagt, samplads night-cover.
select
    stay.unit_id,
    stay.municipality,
    coalesce(stay.daily_rate_ore, unit_now.daily_rate_ore) as daily_rate_ore
from stay
inner join unit_now on stay.unit_id = unit_now.unit_id
where
    stay.starts_on <= $as_of
    and (stay.ends_on is null or stay.ends_on > $as_of)
    and stay.unit_id in (select night_roster.unit_id from night_roster)
order by stay.unit_id, stay.municipality, daily_rate_ore
