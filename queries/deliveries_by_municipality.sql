-- One row is what a delivery in force holds of a municipality: what became of its rows, how many findings, its oldest confirmation.
-- Grain: municipality, delivery (municipality null: what concerns the whole delivery); parameters: none.
-- Read by: Dataleverancer.
with counts as (
    select
        delivery_count.delivery_digest,
        delivery_count.municipality,
        sum(delivery_count.delivered)::bigint as delivered,
        sum(delivery_count.accepted)::bigint as accepted,
        sum(delivery_count.corrected)::bigint as corrected,
        sum(delivery_count.flagged)::bigint as flagged,
        sum(delivery_count.set_aside)::bigint as set_aside,
        sum(delivery_count.refused)::bigint as refused
    from delivery_count
    group by delivery_count.delivery_digest, delivery_count.municipality
),

found as (
    select
        finding.delivery_digest,
        finding.municipality,
        count(*) as findings
    from finding
    group by finding.delivery_digest, finding.municipality
),

vouched as (
    select
        capacity.delivery_digest,
        unit_now.municipality,
        min(unit_now.confirmed_at) as oldest_confirmation
    from capacity
    inner join unit_now on capacity.unit_id = unit_now.unit_id and capacity.as_of = unit_now.as_of
    group by capacity.delivery_digest, unit_now.municipality
),

spoken_of as (
    select
        counts.delivery_digest,
        counts.municipality
    from counts
    union
    select
        found.delivery_digest,
        found.municipality
    from found
)

select
    spoken_of.municipality,
    coalesce(municipality.name, spoken_of.municipality) as municipality_name,
    delivery.delivery,
    delivery.digest,
    delivery.as_of,
    coalesce(counts.delivered, 0) as delivered,
    coalesce(counts.accepted, 0) as accepted,
    coalesce(counts.corrected, 0) as corrected,
    coalesce(counts.flagged, 0) as flagged,
    coalesce(counts.set_aside, 0) as set_aside,
    coalesce(counts.refused, 0) as refused,
    coalesce(found.findings, 0) as findings,
    vouched.oldest_confirmation
from spoken_of
inner join delivery on spoken_of.delivery_digest = delivery.digest
left join counts
    on spoken_of.delivery_digest = counts.delivery_digest
    and spoken_of.municipality is not distinct from counts.municipality
left join found
    on spoken_of.delivery_digest = found.delivery_digest
    and spoken_of.municipality is not distinct from found.municipality
left join vouched
    on spoken_of.delivery_digest = vouched.delivery_digest
    and spoken_of.municipality = vouched.municipality
left join municipality on spoken_of.municipality = municipality.code
order by
    municipality_name asc nulls first,
    delivery.as_of desc,
    delivery.delivery asc,
    delivery.digest asc
