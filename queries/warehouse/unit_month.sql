-- One row is a unit in a month: days with a person in a place, and places times days (each count holds from its day until the next).
-- Grain: unit, month in which either is known.
-- Read by: occupancy queries, quality_issues.
-- Person days without looking at a stay in each of its months: between two months with a move, the same persons are there all the time; in a
-- month with moves, each comer is late, and each leaver gone, by so many days.
with bounds as (
    select (date_trunc('month', max(delivery.as_of)) + interval 1 month)::date as closes
    from delivery
),

moves as (
    select
        stay.unit_id,
        date_trunc('month', stay.starts_on)::date as month,
        count(*) as persons,
        sum(day(stay.starts_on) - 1) as late
    from stay
    group by stay.unit_id, date_trunc('month', stay.starts_on)
    union all
    select
        stay.unit_id,
        date_trunc('month', stay.ends_on)::date as month,
        -count(*) as persons,
        -sum(day(stay.ends_on) - 1) as late
    from stay
    where stay.ends_on is not null
    group by stay.unit_id, date_trunc('month', stay.ends_on)
),

moved as (
    select
        moves.unit_id,
        moves.month,
        sum(moves.persons) as persons,
        sum(moves.late) as late
    from moves
    where moves.month < (select bounds.closes from bounds)
    group by moves.unit_id, moves.month
),

present as (
    select
        moved.unit_id,
        moved.month,
        moved.late,
        sum(moved.persons) over (partition by moved.unit_id order by moved.month) as persons,
        coalesce(
            lead(moved.month) over (partition by moved.unit_id order by moved.month),
            (select bounds.closes from bounds)
        ) as next_month
    from moved
),

present_each_month as (
    select
        present.*,
        unnest(generate_series(present.month, present.next_month - 1, interval 1 month))::date as at_month
    from present
),

persons as (
    select
        present_each_month.unit_id,
        present_each_month.at_month as month,
        (
            present_each_month.persons * day(last_day(present_each_month.at_month))
            - if(present_each_month.at_month = present_each_month.month, present_each_month.late, 0)
        )::bigint as person_days
    from present_each_month
),

periods as (
    select
        capacity.unit_id,
        capacity.maximum,
        capacity.as_of as first_day,
        coalesce(
            lead(capacity.as_of) over (partition by capacity.unit_id order by capacity.as_of),
            (select bounds.closes from bounds)
        ) as next_day
    from capacity
),

periods_each_month as (
    select
        periods.*,
        unnest(generate_series(date_trunc('month', periods.first_day)::date, periods.next_day - 1, interval 1 month))::date as month
    from periods
),

places as (
    select
        periods_each_month.unit_id,
        periods_each_month.month,
        sum(
            periods_each_month.maximum * date_diff(
                'day',
                greatest(periods_each_month.first_day, periods_each_month.month),
                least(periods_each_month.next_day, (periods_each_month.month + interval 1 month)::date)
            )
        )::bigint as capacity_days
    from periods_each_month
    group by periods_each_month.unit_id, periods_each_month.month
)

select
    coalesce(persons.unit_id, places.unit_id) as unit_id,
    coalesce(persons.month, places.month) as month,
    coalesce(persons.person_days, 0) as person_days,
    coalesce(places.capacity_days, 0) as capacity_days
from persons
full join places on persons.unit_id = places.unit_id and persons.month = places.month
where persons.person_days > 0 or places.capacity_days is not null
order by unit_id, month
