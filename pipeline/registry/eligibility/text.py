"""Criteria text to the one spelling that the grammar reads. Character for character: an offset into the canonical
text is an offset into the text that it came from. No rules about meaning here.

Registries and sponsors write one thing in twenty ways ("at least 2", "two or more", "≥ 2", ">/= 2", "> or equal to 2").
The canonical text is lower case, has one character for a comparison, digits for number words, and blanks where the
longer spelling stood, so that rules stay short and every quote can be cut from the original.
"""

from __future__ import annotations

import polars as pl

# One character for one character.
CHARACTERS = {
    "İ": "i", "\u00a0": " ", "\u2007": " ", "\u202f": " ", "\u2009": " ", "\u200b": " ", "\ufeff": " ", "\t": " ",
    "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "‒": "-", "―": "-",
    "’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"',
    "⩾": "≥", "≧": "≥", "⩽": "≤", "≦": "≤", "＞": ">", "＜": "<", "（": "(", "）": ")", "：": ":", "；": ";", "，": ",",
    "μ": "µ", "β": "β", "®": " ", "™": " ", "©": " ", "×": "x", "⁹": "9", "³": "3", "²": "2", "₂": "2", "ï": "i", "é": "e", "è": "e", "ö": "o",
    "_": " ", "~": " ",
}  # fmt: skip

_AT_LEAST = (
    "greater than or equal to", "greater then or equal to", "greater than or equals to", "greater than or equal",
    "more than or equal to", "higher than or equal to", "equal to or greater than", "equal to or more than",
    "equal to or higher than", "equal to or older than", "equal or older than", "equal or greater than", "equal or more than", "equal or higher than", "greater or equal to",
    "greater than/equal to", "larger than or equal to", "longer than or equal to", "older than or equal to",
    "superior or equal to", ">or equal to", "> or equal to", "> or equal", "> or =", ">or=", "> or=", ">/=", "> / =", ">/ =",
    "higher or equal to", "higher or equal than", "greater or equal than", "more or equal to", "superior/equal to", "greater/equal to", "higher/equal to",
    ">=", "> =", "=>", "= >", "= or >", "not <", "at least", "a minimum of", "minimum of", "no less than", "not less than", "no fewer than",
    "not fewer than", "not shorter than", "at a minimum of", "at or above", "above or equal to", "at minimum", "minimum",
)  # fmt: skip
_AT_MOST = (
    "less than or equal to", "less then or equal to", "less than or equals to", "less than or equal", "less or equal to",
    "lower than or equal to", "lower or equal to", "fewer than or equal to", "equal to or less than", "equal to or lower than",
    "equal or less than", "equal or lower than", "equal to or below", "smaller than or equal to", "younger than or equal to",
    "shorter than or equal to", "inferior or equal to", "<or equal to", "< or equal to", "< or equal", "< or =", "<or=", "< or=",
    "lower or equal than", "less or equal than", "lower/equal to", "less/equal to", "inferior/equal to",
    "</=", "< / =", "</ =", "<=", "< =", "=<", "= <", "= or <", "not >", "at most", "a maximum of", "maximum of", "no more than",
    "not more than", "no greater than", "not greater than", "no higher than", "not higher than", "not exceeding",
    "not to exceed", "must not exceed", "does not exceed", "no longer than", "not longer than", "up to and including",
    "at or below", "not over", "no older than", "not older than", "not above", "maximum", "at maximum", "max.", "max",
)  # fmt: skip
_MORE = (
    "greater than", "greater then", "more than", "more then", "higher than", "higher then", "larger than", "longer than",
    "longer then", "older than", "bigger than", "in excess of", "exceeding", "exceeds", "superior to", "strictly above",
    "above", "beyond",
)  # fmt: skip
_LESS = (
    "less than", "less then", "lower than", "lower then", "fewer than", "smaller than", "shorter than", "younger than",
    "inferior to", "below",
)  # fmt: skip
# Words after the number; the patterns of `quantities` read them there.
_PROTECTED = ("and above", "or above", "and below", "or below", "described above", "listed above", "mentioned above",
              "described below", "listed below", "as above", "as below", "above mentioned", "above-mentioned", "(above",
              "defined below", "defined above", "stated above", "noted above", "criteria above", "criteria below",
              "outlined below", "detailed below", "the above", "specified below")  # fmt: skip

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
NUMBER_WORDS = {word: value for value, word in enumerate(("zero", *_ONES, *_TEENS))} | _TENS | {
    f"{tens}{joint}{one}": value + digit
    for tens, value in _TENS.items() for digit, one in enumerate(_ONES, start=1) for joint in ("-", " ")
}  # fmt: skip


def _pad(new: str, old: str) -> str:
    return new + " " * (len(old) - len(new))


def _longest_first(table: dict[str, str]) -> dict[str, str]:
    return dict(sorted(table.items(), key=lambda item: -len(item[0])))


def _numbers() -> dict[str, str]:
    table = {
        "&lt;": "   <", "&gt;": "   >", "&amp;": "&    ", "&le;": "≤   ", "&ge;": "≥   ", "&nbsp;": "      ", "&#39;": "'    ",
        "&quot;": '"     ',
    }  # fmt: skip
    for word, number in NUMBER_WORDS.items():
        for before in (" ", "(", "-", "/"):
            for after in (" ", "-", ")", ",", "(", ";", ":", ". "):
                table[before + word + after] = before + _pad(str(number), word) + after
    for word in ("twice", "double"):
        for limit in ("the upper", "the uln", "the normal", "the limit", "upper", "uln", "normal"):
            table[f" {word} {limit}"] = f" {_pad('2 x', word)} {limit}"
    return _longest_first(table)


def _comparisons() -> dict[str, str]:
    table = {}
    for symbol, spellings in (("≥", _AT_LEAST), ("≤", _AT_MOST), (">", _MORE), ("<", _LESS)):
        for spelling in spellings:
            if spelling[0].isalpha():
                for before in (" ", "(", ")", "[", "/"):
                    table[before + spelling + " "] = before + _pad(symbol, spelling) + " "
            else:
                table[spelling] = _pad(symbol, spelling)
    for spelling in _PROTECTED:
        table[spelling] = spelling
    for digit in "0123456789":
        # "under 6" compares, "under treatment" does not.
        table[f" under {digit}"] = f" <     {digit}"
        for word, symbol in (("under", "<"), ("below", "<"), ("over", ">"), ("above", ">")):
            spelling = f" {word} the age of "
            table[spelling + digit] = _pad(f" age {symbol}", spelling) + digit
    return _longest_first(table)


# Numbers first: a comparison and the number word behind it share the blank between them ("at least two").
NUMBERS, COMPARISONS = _numbers(), _comparisons()


def collapsed(text: pl.Expr) -> pl.Expr:
    """Runs of white space to one blank; leading and trailing blanks gone. The result keeps the author's letters."""
    # Single blanks, which are nearly all of them, are left alone: half the time of r"\s+".
    return text.str.replace_all(r"\s{2,}|[^\S ]", " ").str.strip_chars(" ")


def canonical(text: pl.Expr) -> pl.Expr:
    """Collapsed text to the grammar's spelling, with one blank added on either side.

    Position p of the collapsed text is position p + 1 of the canonical one.
    """
    characters = text.str.replace_many(list(CHARACTERS), list(CHARACTERS.values())).str.to_lowercase()
    unescaped = characters.str.replace_all(r"\\([^\w\s])", " $1")
    framed = pl.concat_str(pl.lit(" "), unescaped, pl.lit(" "))
    counted = framed.str.replace_many(list(NUMBERS), list(NUMBERS.values()), leftmost=True)
    return counted.str.replace_many(list(COMPARISONS), list(COMPARISONS.values()), leftmost=True)
