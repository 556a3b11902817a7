-- One row is how complete the deliveries are: municipalities with a recent count of places, out of how many, and rows that await correction.
-- Grain: one row; parameters: $day $fresh_days.
-- Read by: Overblik.
select
    (select count(*) from municipality) as municipalities,
    (
        select count(distinct unit_now.municipality)
        from unit_now
        inner join municipality on unit_now.municipality = municipality.code
        where date_diff('day', unit_now.as_of, $day) <= $fresh_days
    ) as delivered,
    (select count(*) from delivery) as deliveries,
    (select max(delivery.as_of) from delivery) as last_delivery,
    (select count(*) filter (where finding.severity in ('refused_file', 'set_aside')) from finding) as set_aside,
    (select count(*) filter (where finding.severity = 'flagged') from finding) as flagged
