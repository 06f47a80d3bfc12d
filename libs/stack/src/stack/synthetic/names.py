"""Names that nobody bears: syllables in an order that no language here uses, with the titles and tails of real lists."""

from random import Random

_ONSETS = ("Ba", "Ce", "Di", "Fo", "Gu", "Ha", "Je", "Ki", "Lo", "Mu", "Na", "Pe", "Ri", "So", "Tu", "Wa", "Ye", "Zo")
_MIDDLES = (
    "bra",
    "ca",
    "dri",
    "fa",
    "go",
    "hu",
    "ja",
    "ku",
    "la",
    "mbo",
    "nda",
    "po",
    "qui",
    "ro",
    "sta",
    "ti",
    "vo",
    "xu",
)
_ENDS = ("bel", "dax", "fin", "gor", "hem", "jun", "kol", "lim", "mor", "nex", "pur", "rad", "sut", "tov", "vis", "zan")
TITLES = ("H. ", "Hj. ", "Drs. ", "dr. ", "Ir. ", "Alm. ")
"""Before a name; such lists write titles into the name."""
DEGREES = (", S.Pd", ", S.H.", ", SE", ", M.Si")


def word(rng: Random) -> str:
    """One word of a name; 5,184 exist."""
    return rng.choice(_ONSETS) + rng.choice(_MIDDLES) + rng.choice(_ENDS)


def full_name(rng: Random, surname: str) -> str:
    """A name of two or three words that ends in the family's word."""
    middle = f" {word(rng)}" if rng.random() < 0.3 else ""
    return f"{word(rng)}{middle} {surname}"


def with_tail(name: str, sex: str, father: str) -> str:
    """The same name with `bin` or `binti` and the father's word."""
    return f"{name} {'bin' if sex == 'L' else 'binti'} {father}"
