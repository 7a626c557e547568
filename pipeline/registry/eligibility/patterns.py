"""Regular expressions that are only tried on texts that can hold a match: `re` for the rules. Nothing about meaning.

Five of six questions that rules put to a criterion have the answer no, and a search that fails costs as much as one that
finds. So each pattern is taken apart once: the words of which every match holds one ("exacerbations?|attacks?" needs
"exacerbation" or "attack", a number a digit) are its `needs`. What criteria hold is found for all patterns in one pass
over all texts (`absences`), and while rules are asked about a criterion (`asking`, `about`) a pattern whose needs are not met answers
without a search. Where it is tried, letters with which no match begins are passed over (`_guard`). Whoever writes a
rule has nothing to declare: `from … import patterns as re`, and write as ever.

What may be asked: the criterion, the line that introduces it, and parts of either, also with parts blanked out. `sub`
and `split` are never held back, and outside of `asking` nothing is.
"""

from __future__ import annotations

import re
import re._constants as ops
import re._parser as parser
import sys
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import polars as pl

Match = re.Match
# One of these words stands in every match.
Group = frozenset[str]

DIGIT = r"\d"
_SYMBOLS = frozenset("≥≤<>")
_WORD = re.compile(r"\S+")
# Spellings of one part of a pattern that are told apart, and words of the largest group: beyond, a group rarely says no.
_SPELLINGS, _LARGEST = 64, 128
_MOST = sys.maxsize


class Pattern:
    """As `re.Pattern`, see the module. The `re` of a match is `compiled`. Compiled when it is first tried."""

    __slots__ = (
        "_finditer",
        "_fullmatch",
        "_groups",
        "_guarded",
        "_match",
        "_search",
        "bits",
        "compiled",
        "pattern",
    )

    def __init__(self, pattern: str):
        self.pattern = pattern
        self.bits = 0  # none are needed until `absences` has looked for them
        self.compiled: re.Pattern | None = None
        self._guarded: str | None = None
        self._groups: list[Group] = []
        self._search, self._match = partial(self._compile, "search"), partial(self._compile, "match")
        self._fullmatch, self._finditer = (
            partial(self._compile, "fullmatch"),
            partial(self._compile, "finditer"),
        )

    def _compile(self, method: str, *arguments: Any) -> Any:
        """The first call of all."""
        self.groups()
        self.compiled = compiled = re.compile(self._guarded)
        self._search, self._match = compiled.search, compiled.match
        self._fullmatch, self._finditer = compiled.fullmatch, compiled.finditer
        return getattr(compiled, method)(*arguments)

    def groups(self) -> list[Group]:
        """What it needs, see `needs`."""
        if self._guarded is None:
            tree = parser.parse(self.pattern)
            guard = _guard(tree)
            self._groups, self._guarded = (
                _needs(tree),
                f"{guard}(?:{self.pattern})" if guard else self.pattern,
            )
        return self._groups

    def search(self, text: str, start: int = 0, end: int = _MOST) -> re.Match | None:
        return None if self.bits & _absent else self._search(text, start, end)

    def match(self, text: str, start: int = 0, end: int = _MOST) -> re.Match | None:
        return None if self.bits & _absent else self._match(text, start, end)

    def fullmatch(self, text: str, start: int = 0, end: int = _MOST) -> re.Match | None:
        return None if self.bits & _absent else self._fullmatch(text, start, end)

    def finditer(self, text: str, start: int = 0, end: int = _MOST) -> Iterator[re.Match]:
        return iter(()) if self.bits & _absent else self._finditer(text, start, end)

    def findall(self, text: str, start: int = 0, end: int = _MOST) -> list:
        if self.bits & _absent:
            return []
        return (
            self.compiled.findall(text, start, end)
            if self.compiled
            else self._compile("findall", text, start, end)
        )

    def sub(self, new: str, text: str) -> str:
        return self.compiled.sub(new, text) if self.compiled else self._compile("sub", new, text)

    def split(self, text: str) -> list[str]:
        return self.compiled.split(text) if self.compiled else self._compile("split", text)


_known: dict[str, Pattern] = {}
_fresh: list[Pattern] = []
_groups: dict[Group, int] = {}
_lock = threading.RLock()
# Groups of which the criterion at hand holds no word, one bit each. For all threads: `asking` lets in one at a time.
_absent = 0


def compile(pattern: str) -> Pattern:
    """The pattern, which is the same object each time."""
    known = _known.get(pattern)
    if known is None:
        with _lock:
            known = _known.setdefault(pattern, Pattern(pattern))
            _fresh.append(known)
    return known


def search(pattern: str, text: str) -> re.Match | None:
    known = _known.get(pattern) or compile(pattern)
    return None if known.bits & _absent else known._search(text)


def match(pattern: str, text: str) -> re.Match | None:
    known = _known.get(pattern) or compile(pattern)
    return None if known.bits & _absent else known._match(text)


def fullmatch(pattern: str, text: str) -> re.Match | None:
    known = _known.get(pattern) or compile(pattern)
    return None if known.bits & _absent else known._fullmatch(text)


def finditer(pattern: str, text: str) -> Iterator[re.Match]:
    return compile(pattern).finditer(text)


def findall(pattern: str, text: str) -> list:
    return compile(pattern).findall(text)


def sub(pattern: str, new: str, text: str) -> str:
    return (_known.get(pattern) or compile(pattern)).sub(new, text)


# ------------------------------------------------------------------------------------------- what a text does not hold
def about(absent: int) -> None:
    """The next questions are about a text (and its introduction) that lacks these groups. Only while `asking`."""
    global _absent
    _absent = absent


class _Asking:
    """`with asking:` lets in one thread at a time, and knows nothing of the texts before and after."""

    def __enter__(self) -> None:
        _lock.acquire()

    def __exit__(self, *_: object) -> None:
        about(0)
        _lock.release()


asking = _Asking()


def absences(texts: pl.Series) -> list[int]:
    """What `about` wants to know of each text. A pattern that is seen only later is always tried."""
    groups = _vocabulary()
    everything = (1 << len(groups)) - 1
    present: dict[str, int] = {}
    for group, bit in groups.items():
        for word in group:
            present[word] = present.get(word, 0) | bit
    digit = present.pop(DIGIT, 0)
    if not present:
        return [0] * len(texts)
    held = texts.to_frame("text").select(
        words=pl.col("text").str.extract_many(list(present), overlapping=True),
        has_digit=pl.col("text").str.contains(DIGIT),
    )
    out = []
    for words, has_digit in held.iter_rows():
        found = digit if has_digit else 0
        for word in words:
            found |= present[word]
        out.append(everything ^ found)
    return out


def _vocabulary() -> dict[Group, int]:
    with _lock:
        while _fresh:
            pattern = _fresh.pop()
            for group in pattern.groups():
                pattern.bits |= _groups.setdefault(group, 1 << len(_groups))
        return dict(_groups)


# ------------------------------------------------------------------------------------------------ what a pattern needs
def needs(pattern: str) -> list[Group]:
    """Groups of words and signs; every match of the pattern holds at least one of each.

    What stands between blanks counts, never a blank: parts of a text that are blanked out make no new word.
    """
    return _needs(parser.parse(pattern))


def _needs(tree: parser.SubPattern) -> list[Group]:
    if tree.state.flags & re.IGNORECASE:
        return []
    spellings, groups = _sequence(tree)
    if spellings is not None:
        groups = [*groups, *_grouped(spellings)]
    kept: list[Group] = []
    for group in sorted(set(groups), key=_likelihood):
        if len(group) <= _LARGEST and not any(other <= group for other in kept):
            kept.append(group)
    return kept[:4]


def _likelihood(group: Group) -> float:
    """Rough: how often a text holds a word of the group."""
    return sum(0.5 if word == DIGIT else 0.2 if word in _SYMBOLS else 2.5 ** -len(word) for word in group)


def _grouped(spellings: Iterable[str]) -> list[Group]:
    """The longest word of each spelling; nothing if one has none."""
    out = set()
    for spelling in spellings:
        words = (
            [DIGIT]
            if spelling == DIGIT
            else [w for w in _WORD.findall(spelling) if len(w) > 1 or w in _SYMBOLS]
        )
        if not words:
            return []
        out.add(max(words, key=len))
    # "ages" is there only if "age" is.
    return [frozenset(w for w in out if not any(o != w and o in w for o in out))] if out else []


# Parts of a parsed pattern: all its spellings where they are few, and its groups.
Part = tuple[set[str] | None, list[Group]]


def _sequence(items: Iterable) -> Part:
    run, groups, is_whole = {""}, [], True
    for op, value in items:
        spellings, inner = _part(op, value)
        groups += inner
        if spellings is not None and DIGIT not in spellings and len(spellings) * len(run) <= _SPELLINGS:
            run = {a + b for a in run for b in spellings}
            continue
        groups += _grouped(run)
        is_whole, run = False, {""}
        if spellings is not None and DIGIT in spellings:
            groups += _grouped(spellings)
        elif spellings is not None:
            run = spellings
    if is_whole:
        return run, groups
    return None, groups + _grouped(run)


def _part(op: object, value) -> Part:
    if op is ops.LITERAL:
        return {chr(value)}, []
    if op is ops.IN:
        return _characters(value), []
    if op in (ops.AT, ops.ASSERT_NOT):
        return {""}, []
    if op is ops.ASSERT:
        spellings, groups = _sequence(value[1])
        return {""}, groups + (_grouped(spellings) if spellings is not None else [])
    if op is ops.SUBPATTERN:
        return _sequence(value[3])
    if op is ops.ATOMIC_GROUP:
        return _sequence(value)
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        return _repeated(*value)
    if op is ops.BRANCH:
        return _branches(value[1])
    return None, []


def _repeated(least: int, most: int, items: Iterable) -> Part:
    spellings, groups = _sequence(items)
    if least == most == 1:
        return spellings, groups
    if least == 0:
        is_short = most == 1 and spellings is not None and DIGIT not in spellings
        return (spellings | {""} if is_short else None), []
    return None, groups + (_grouped(spellings) if spellings is not None else [])


def _branches(branches: Iterable) -> Part:
    all_spellings: set[str] | None = set()
    words: set[str] | None = set()
    for branch in branches:
        spellings, groups = _sequence(branch)
        if spellings is not None:
            groups = groups + _grouped(spellings)
        if spellings is None or DIGIT in spellings:
            all_spellings = None
        elif all_spellings is not None:
            all_spellings |= spellings
        if not groups:
            words = None
        elif words is not None:
            words |= min(groups, key=_likelihood)
    if all_spellings is not None and len(all_spellings) <= _SPELLINGS:
        return all_spellings, []
    return None, [frozenset(words)] if words else []


def _characters(members: list) -> set[str] | None:
    """Few letters, or digits alone; else nothing is known."""
    out: set[str] = set()
    for op, value in members:
        if op is ops.LITERAL:
            out.add(chr(value))
        elif (op is ops.CATEGORY and value is ops.CATEGORY_DIGIT) or (
            op is ops.RANGE and 48 <= value[0] <= value[1] <= 57
        ):
            out.add(DIGIT)
        elif op is ops.RANGE and value[1] - value[0] < 8:
            out |= {chr(code) for code in range(value[0], value[1] + 1)}
        else:
            return None
    return out if DIGIT not in out or len(out) == 1 else None


# --------------------------------------------------------------------------------------------- how a pattern begins
# Of these `re` sees by itself with which letters a match begins, or that it stands at the start.
_SEEN_BY_RE = (ops.LITERAL, ops.IN, ops.NOT_LITERAL, ops.ANY)
_CLASSES = {
    ops.CATEGORY_DIGIT: r"\d",
    ops.CATEGORY_NOT_DIGIT: r"\D",
    ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w",
    ops.CATEGORY_NOT_WORD: r"\W",
}


def _guard(tree: parser.SubPattern) -> str:
    """A look at the next letter, where `re` would else try all branches of the pattern on each letter; nothing elsewhere."""
    if not tree.data or tree.state.flags & re.IGNORECASE:
        return ""
    op, value = tree.data[0]
    while op is ops.SUBPATTERN and value[3].data:
        op, value = value[3].data[0]
    if op in _SEEN_BY_RE or (op is ops.AT and value is ops.AT_BEGINNING):
        return ""
    if op is ops.BRANCH and all(branch.data and branch.data[0][0] is ops.LITERAL for branch in value[1]):
        return ""
    letters, may_be_empty = _beginning(tree)
    if letters is None or may_be_empty:
        return ""
    return f"(?=[{''.join(sorted(letters))}])"


def _beginning(items: Iterable) -> tuple[set[str] | None, bool]:
    """Members of a class in which every match begins, None if it can begin with anything; and whether one can be empty."""
    out: set[str] = set()
    for op, value in items:
        letters, may_be_empty = _beginning_of(op, value)
        if letters is None:
            return None, False
        out |= letters
        if not may_be_empty:
            return out, False
    return out, True


def _beginning_of(op: object, value) -> tuple[set[str] | None, bool]:
    if op is ops.LITERAL:
        return {re.escape(chr(value))}, False
    if op is ops.IN:
        return _class(value), False
    if op in (ops.AT, ops.ASSERT, ops.ASSERT_NOT):
        return set(), True
    if op is ops.SUBPATTERN:
        return _beginning(value[3])
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
        letters, may_be_empty = _beginning(value[2])
        return letters, may_be_empty or value[0] == 0
    if op is ops.BRANCH:
        branches = [_beginning(branch) for branch in value[1]]
        if any(letters is None for letters, _ in branches):
            return None, False
        return set().union(*(letters for letters, _ in branches)), any(empty for _, empty in branches)
    return None, False


def _class(members: list) -> set[str] | None:
    out = set()
    for op, value in members:
        if op is ops.LITERAL:
            out.add(re.escape(chr(value)))
        elif op is ops.RANGE:
            out.add(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif op is ops.CATEGORY and value in _CLASSES:
            out.add(_CLASSES[value])
        else:
            return None
    return out
