"""How many parts an SMS takes: the GSM 7-bit alphabet (3GPP TS 23.038) or UCS-2, and the characters that cost most."""

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")
"""Characters that take two places."""
_DOWNGRADE = str.maketrans(
    {"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "\u00a0": " ", "\t": " "}
)
_GSM_ONE, _GSM_MANY = 160, 153
_UCS_ONE, _UCS_MANY = 70, 67


def plain(text: str) -> str:
    """Typographic quotes, dashes and blanks as plain ones: one curly quote would more than double the parts."""
    return text.translate(_DOWNGRADE)


def segments(text: str) -> int:
    """The number of SMS parts. Text outside of the GSM alphabet is counted in UTF-16 units."""
    if all(character in GSM or character in EXTENDED for character in text):
        length = sum(2 if character in EXTENDED else 1 for character in text)
        return 1 if length <= _GSM_ONE else -(-length // _GSM_MANY)
    length = len(text.encode("utf-16-be")) // 2
    return 1 if length <= _UCS_ONE else -(-length // _UCS_MANY)
