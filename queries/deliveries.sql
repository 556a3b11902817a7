-- One row is a delivery in force: what it held, what became of its rows, how many municipalities it speaks of, and its oldest confirmation.
-- Grain: delivery; parameters: none.
-- Read by: Dataleverancer.
with counts as (
    select
        delivery_count.delivery_digest,
        sum(delivery_count.delivered)::bigint as delivered,
        sum(delivery_count.accepted)::bigint as accepted,
        sum(delivery_count.corrected)::bigint as corrected,
        sum(delivery_count.flagged)::bigint as flagged,
        sum(delivery_count.set_aside)::bigint as set_aside,
        sum(delivery_count.refused)::bigint as refused
    from delivery_count
    group by delivery_count.delivery_digest
),

found as (
    select
        finding.delivery_digest,
        count(*) as findings,
        count(*) filter (where finding.severity = 'refused_file') as refused_files
    from finding
    group by finding.delivery_digest
),

covered as (
    select
        unit.delivery_digest,
        count(distinct unit.municipality) as municipalities,
        min(coalesce(municipality.name, unit.municipality)) as one_of_them
    from unit
    left join municipality on unit.municipality = municipality.code
    group by unit.delivery_digest
),

vouched as (
    select
        capacity.delivery_digest,
        min(unit_now.confirmed_at) as oldest_confirmation
    from capacity
    inner join unit_now on capacity.unit_id = unit_now.unit_id and capacity.as_of = unit_now.as_of
    group by capacity.delivery_digest
)

select
    delivery.digest,
    delivery.delivery,
    delivery.sender,
    delivery.as_of,
    coalesce(covered.municipalities, 0) as municipalities,
    if(covered.municipalities = 1, covered.one_of_them, null) as municipality_name,
    coalesce(counts.delivered, 0) as delivered,
    coalesce(counts.accepted, 0) as accepted,
    coalesce(counts.corrected, 0) as corrected,
    coalesce(counts.flagged, 0) as flagged,
    coalesce(counts.set_aside, 0) as set_aside,
    coalesce(counts.refused, 0) as refused,
    coalesce(found.findings, 0) as findings,
    coalesce(found.refused_files, 0) as refused_files,
    vouched.oldest_confirmation
from delivery
left join counts on delivery.digest = counts.delivery_digest
left join found on delivery.digest = found.delivery_digest
left join covered on delivery.digest = covered.delivery_digest
left join vouched on delivery.digest = vouched.delivery_digest
order by delivery.as_of desc, delivery.delivery asc, delivery.digest asc
