-- One row is a need that waits for a place, oldest first.
-- Grain: need; parameters: none.
-- Read by: Find match, Samlet fordeling.
select
    need.* exclude (delivery_digest),
    municipality.name as municipality_name
from need
left join municipality on need.municipality = municipality.code
where coalesce(need.status, 'open') = 'open'
order by need.registered_on, need.need_id
