-- One row is something found in a delivery in force: where it stands, which rule, what became of it.
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
    finding.values
from finding
order by
    case finding.severity when 'refused_file' then 0 when 'set_aside' then 1 when 'flagged' then 2 else 3 end asc,
    finding.delivery asc,
    finding.file asc,
    finding.sheet asc,
    finding.row asc
