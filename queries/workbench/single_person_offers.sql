-- title.da: Enkeltmandstilbud og deres natdækning
-- title.en: Single-person offers and their night cover
-- explain.da: Enkeltmandstilbud med takst pr. år og natdækning: de første kandidater til at dele en nattevagt.
-- explain.en: Single-person offers with yearly rate and night cover: the first candidates for sharing a night guard.
-- user: director
-- columns: unit_id, name, municipality_name, operator_kind, night_cover, posts, rate_a_year
select
    unit_now.unit_id,
    unit_now.name,
    unit_now.municipality_name,
    unit_now.operator_kind,
    unit_now.night_cover,
    arg_max(night_roster.posts, night_roster.valid_from) as posts,
    unit_now.daily_rate_ore * 365 / 100 as rate_a_year
from unit_now
cross join meta
left join night_roster on unit_now.unit_id = night_roster.unit_id and meta.as_of >= night_roster.valid_from
where unit_now.single_person
group by all
order by rate_a_year desc nulls last, unit_now.unit_id asc
