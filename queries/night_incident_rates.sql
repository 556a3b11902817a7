-- One row is a unit that registered at least one incident at night in the year before a day: how many, how long, how many hands, how clustered.
-- Grain: unit; parameters: $as_of.
-- Read by: Fælles nattevagt, samplads night-cover.
with by_night as (
    select
        night_incident.unit_id,
        night_incident.night_of,
        count(*) as incidents,
        sum(night_incident.minutes) as minutes,
        max(night_incident.staff_needed) as staff_most
    from night_incident
    where night_incident.night_of < $as_of and night_incident.night_of >= $as_of - 365
    group by night_incident.unit_id, night_incident.night_of
)

select
    by_night.unit_id,
    cast(sum(by_night.incidents) as bigint) as incidents,
    cast(sum(by_night.minutes) as double) / sum(by_night.incidents) as minutes_mean,
    cast(max(by_night.staff_most) as bigint) as staff_most,
    cast(365 as bigint) as nights,
    cast(sum(by_night.incidents * by_night.incidents) as bigint) as squares
from by_night
group by by_night.unit_id
order by by_night.unit_id
