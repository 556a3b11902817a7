-- One row is a municipality with its units' places in four states (open: those that surely are), and the freshness band that most of its open places have.
-- Grain: municipality that has units; parameters: $day $fresh_days $ageing_days.
-- Read by: Overblik, samplads query.
-- What is surely open is judged as in vacant_units; `accepting_unsure` are places that may be open, of units that have to say more.
with judged as (
    select
        unit_now.*,
        case
            when unit_now.status = 'closed' then false
            when unit_now.status in ('waiting_list', 'needs_assessment') then null
            else true
        end as is_intake,
        case
            when unit_now.approval_status in ('suspended', 'withdrawn') then false
            when unit_now.approved_until < $day and coalesce(unit_now.approval_status, '') <> 'not_required' then false
            when unit_now.approval_status is null or unit_now.approval_status = 'conditional' then null
            else true
        end as is_approved
    from unit_now
),

banded as (
    select
        judged.municipality,
        if(coalesce(judged.is_intake and judged.is_approved, false), judged.accepting, 0) as accepting,
        if((judged.is_intake and judged.is_approved) is null, judged.accepting, 0) as accepting_unsure,
        judged.reserved,
        judged.occupied,
        judged.maximum,
        case
            when date_diff('day', judged.confirmed_at, $day) <= $fresh_days then 'fresh'
            when date_diff('day', judged.confirmed_at, $day) <= $ageing_days then 'ageing'
            else 'stale'
        end as freshness
    from judged
),

summed as (
    select
        banded.municipality,
        count(*) as units,
        count(*) filter (where banded.accepting > 0) as open_units,
        coalesce(sum(banded.accepting), 0)::bigint as accepting,
        coalesce(sum(banded.accepting_unsure), 0)::bigint as accepting_unsure,
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
