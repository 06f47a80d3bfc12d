"""How two members of one family are related, from their relations to its head (SHDK). Pure.

What a card says, no more: a step-child or an adopted child is a child; heirs prove themselves with papers.
"""

_TO_HEAD = {2: "spouse", 3: "spouse", 4: "child", 5: "child_in_law", 6: "grandchild", 7: "parent", 8: "parent_in_law"}
_TO_SPOUSE = {1: "spouse", 4: "child", 5: "child_in_law", 6: "grandchild", 7: "parent_in_law", 8: "parent"}
_TO_CHILD = {1: "parent", 2: "parent", 3: "parent", 4: "sibling", 7: "grandparent", 8: "grandparent"}
_TO_PARENT = {1: "child", 2: "child_in_law", 3: "child_in_law", 4: "grandchild", 7: "spouse"}
_TO_PARENT_IN_LAW = {1: "child_in_law", 2: "child", 3: "child", 4: "grandchild", 8: "spouse"}
_TABLE = {1: _TO_HEAD, 2: _TO_SPOUSE, 3: _TO_SPOUSE, 4: _TO_CHILD, 7: _TO_PARENT, 8: _TO_PARENT_IN_LAW}

ORDER = ("spouse", "child", "parent", "sibling", "grandchild", "grandparent", "child_in_law", "parent_in_law", "other")
"""From the nearest heir on, as most places have it; a programme's rule has the last word."""


def relationship(of_shdk: int, other_shdk: int) -> str:
    """What the one with `other_shdk` is to the one with `of_shdk`."""
    return _TABLE.get(of_shdk, {}).get(other_shdk, "other")


def rank(relation: str) -> int:
    """The place in the order of heirs."""
    return ORDER.index(relation)
