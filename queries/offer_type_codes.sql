-- One row is the code of an offer type of the reference folder.
-- Grain: offer type; parameters: none.
-- Read by: samplads match.
select offer_type.code
from offer_type
order by offer_type.code
