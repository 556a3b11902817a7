-- One row is a target group and one at or below it in the tree: an approval for the first covers the second.
-- Grain: pair of target groups; parameters: none.
-- Read by: Find match, Samlet fordeling, samplads match.
select
    target_group_closure.ancestor,
    target_group_closure.descendant
from target_group_closure
order by target_group_closure.ancestor, target_group_closure.descendant
