-- One row is a unit's stays in a month: days with a person in a place. Capacity is joined by who asks, since it changes within a month.
-- Grain: unit, month.
-- Read by: occupancy queries.
with bounds as (
    select
        min(stay.starts_on) as first_day,
        (select max(delivery.as_of) from delivery) as last_day
    from stay
),

months as (
    select unnest(generate_series(date_trunc('month', bounds.first_day)::date, bounds.last_day, interval 1 month))::date as month
    from bounds
)

select
    stay.unit_id,
    months.month,
    sum(
        date_diff(
            'day',
            greatest(stay.starts_on, months.month),
            least(coalesce(stay.ends_on, date '9999-12-31'), (months.month + interval 1 month)::date)
        )
    )::bigint as person_days
from stay
inner join months
    on stay.starts_on < (months.month + interval 1 month)::date
    and coalesce(stay.ends_on, date '9999-12-31') > months.month
group by stay.unit_id, months.month
order by stay.unit_id, months.month
