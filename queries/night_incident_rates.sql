-- One row is a unit with a night roster whose municipality delivers incidents: in the year before a day how many, how long, how many hands.
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
),

by_unit as (
    select
        by_night.unit_id,
        sum(by_night.incidents) as incidents,
        sum(by_night.minutes) as minutes,
        max(by_night.staff_most) as staff_most,
        sum(by_night.incidents * by_night.incidents) as squares
    from by_night
    group by by_night.unit_id
),

delivering as (
    select
        unit_now.municipality,
        least(365, $as_of - min(night_incident.night_of)) as nights
    from night_incident
    inner join unit_now on night_incident.unit_id = unit_now.unit_id
    where night_incident.night_of < $as_of
    group by unit_now.municipality
    having max(night_incident.night_of) >= $as_of - 365
)

select
    unit_now.unit_id,
    cast(coalesce(by_unit.incidents, 0) as bigint) as incidents,
    cast(by_unit.minutes as double) / by_unit.incidents as minutes_mean,
    cast(by_unit.staff_most as bigint) as staff_most,
    cast(delivering.nights as bigint) as nights,
    cast(coalesce(by_unit.squares, 0) as bigint) as squares
from unit_now
inner join delivering on unit_now.municipality = delivering.municipality
left join by_unit on unit_now.unit_id = by_unit.unit_id
where
    by_unit.unit_id is not null
    or unit_now.unit_id in (select night_roster.unit_id from night_roster)
order by unit_now.unit_id
