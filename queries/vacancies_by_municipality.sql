-- One row is a municipality with its units' places in four states (a closed unit has no open ones), and the freshness band that most of its open places have.
-- Grain: municipality that has units; parameters: $day $fresh_days $ageing_days.
-- Read by: Overblik, samplads query.
with banded as (
    select
        unit_now.municipality,
        if(unit_now.status = 'closed', 0, unit_now.accepting) as accepting,
        unit_now.reserved,
        unit_now.occupied,
        unit_now.maximum,
        case
            when date_diff('day', unit_now.confirmed_at, $day) <= $fresh_days then 'fresh'
            when date_diff('day', unit_now.confirmed_at, $day) <= $ageing_days then 'ageing'
            else 'stale'
        end as freshness
    from unit_now
),

summed as (
    select
        banded.municipality,
        count(*) as units,
        count(*) filter (where banded.accepting > 0) as open_units,
        coalesce(sum(banded.accepting), 0)::bigint as accepting,
        coalesce(sum(banded.reserved), 0)::bigint as reserved,
        coalesce(sum(banded.occupied), 0)::bigint as occupied,
        coalesce(sum(banded.maximum), 0)::bigint as maximum,
        coalesce(sum(banded.accepting) filter (where banded.freshness = 'fresh'), 0)::bigint as accepting_fresh,
        coalesce(sum(banded.accepting) filter (where banded.freshness = 'ageing'), 0)::bigint as accepting_ageing
    from banded
    group by banded.municipality
)

select
    summed.*,
    coalesce(municipality.name, summed.municipality) as municipality_name,
    municipality.lat,
    municipality.lon,
    case
        when summed.accepting_fresh * 2 > summed.accepting then 'fresh'
        when (summed.accepting_fresh + summed.accepting_ageing) * 2 > summed.accepting then 'ageing'
        else 'stale'
    end as freshness
from summed
left join municipality on summed.municipality = municipality.code
order by summed.accepting desc, municipality_name asc
