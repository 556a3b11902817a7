-- One row is something found in a delivery in force: where it stands, which rule, what became of it, and the municipality it concerns.
-- Grain: finding; parameters: none.
-- Read by: Dataleverancer.
select
    finding.delivery,
    finding.file,
    finding.sheet,
    finding.row,
    finding.column,
    finding.rule,
    finding.severity,
    finding.value,
    finding.extract,
    finding.values,
    finding.delivery_digest as digest,
    finding.municipality,
    coalesce(municipality.name, finding.municipality) as municipality_name
from finding
left join municipality on finding.municipality = municipality.code
order by
    case finding.severity when 'refused_file' then 0 when 'set_aside' then 1 when 'flagged' then 2 else 3 end asc,
    finding.delivery asc,
    finding.delivery_digest asc,
    finding.file asc,
    finding.sheet asc,
    finding.row asc
