"""Patterns that are held back where they cannot match: what they need, and that no answer is lost by it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import polars as pl
import pytest

from benchmarks.eligibility_text import documents
from pipeline.registry import eligibility
from pipeline.registry.eligibility import grammar, patterns


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        (r"\brelaps\w*", [{"relaps"}]),
        (r"exacerbations?|attacks?\b", [{"exacerbation", "attack"}]),
        (r"(?:onset|first) of disease", [{"disease"}]),
        (r"(?:onset|first)\s+of\s+disease", [{"disease"}, {"onset", "first"}, {"of"}]),
        (r"\br-r\b|rrms", [{"r-r", "rrms"}]),
        # Either letter, in one group.
        (r"immuni[sz]ed", [{"immunised", "immunized"}]),
        (r"\d+ (?:weeks|months)", [{"weeks", "months"}, {r"\d"}]),
        (r"[≥>]\s*3", [{"≥", ">"}]),
        # What may be missing is not needed, and a word goes on through it.
        (r"(?:dis)?colou?r", [{"color", "colour"}]),
        (r"(?:with)?(?:out)?\w+", []),
        (r"x{0,3}yes|no", [{"yes", "no"}]),
        (r"steroids(?! for)", [{"steroids"}]),
        (r"steroids(?= taken)(?<!no )", [{"steroids"}, {"taken"}]),
        (r"[^a]bc", [{"bc"}]),
        (r"(?i)steroids", []),
        (r"a|steroids", []),
    ],
)  # fmt: skip
def test_needs(pattern: str, needs: list[set[str]]) -> None:
    found = patterns.needs(pattern)
    assert sorted(map(sorted, found)) == sorted(map(sorted, needs))


def test_what_matches_has_what_is_needed() -> None:
    """Texts put together from the pieces of patterns: they are found as by `re`, and each group has a word in the text."""
    draw = random.Random(20261121)
    asked = sorted(patterns._known)
    pieces = sorted(
        {word for pattern in asked for group in patterns.needs(pattern) for word in group} - {r"\d"}
    )
    matched = 0
    for pattern in draw.sample(asked, 100):
        needs, plain, ours = patterns.needs(pattern), re.compile(pattern), patterns.compile(pattern)
        words = [w for group in needs for w in group if w != r"\d"] + [
            "of",
            "the",
            "12",
            "≥",
            ",",
            "-",
            "(",
            ")",
        ]
        for _ in range(40):
            text = " ".join(draw.choices(words, k=6) + draw.choices(pieces, k=2))
            found = [(m.span(), m.groupdict()) for m in plain.finditer(text)]
            assert [(m.span(), m.groupdict()) for m in ours.finditer(text)] == found, pattern
            if found:
                matched += 1
                assert all(
                    any(bool(re.search(r"\d", text)) if word == r"\d" else word in text for word in group)
                    for group in needs
                ), pattern
    assert matched > 100


@pytest.mark.parametrize(
    ("pattern", "looked_for"),
    [
        (r"\bonset|(?:the )?first", "(?=[fot])"),
        (r"[≥>]?\s*\d", r"(?=[>\d\s≥])"),
        (r"(?<!no )relapse", "(?=[r])"),
        # `re` sees these by itself.
        (r"onset|first", ""),
        (r"^\W*onset", ""),
        # Anything, and nothing at all, can begin these.
        (r"[^a]?x|y", ""),
        (r"(?:\ba)?(?:b)?", ""),
    ],
)
def test_letters_with_which_a_match_begins(pattern: str, looked_for: str) -> None:
    compiled = patterns.Pattern(pattern)
    compiled.search("")
    assert compiled.compiled.pattern == (f"{looked_for}(?:{pattern})" if looked_for else pattern)


def test_a_pattern_that_cannot_match_is_not_tried() -> None:
    pattern = patterns.compile(r"\bzebras?\b")
    [lacks, has] = patterns.absences(pl.Series(["a horse", "two zebras"]))
    with patterns.asking:
        patterns.about(lacks)
        # The question is about the criterion that was announced, so this is how being held back shows.
        assert pattern.search("zebra") is None
        assert not list(pattern.finditer("zebra"))
        assert patterns.search(r"\bzebras?\b", "zebra") is None
        patterns.about(has)
        assert pattern.search("zebra")
        assert pattern.findall("zebra") == ["zebra"]
        patterns.about(lacks)
    assert pattern.match("zebra")


def test_a_pattern_that_was_not_known_is_tried() -> None:
    [before] = patterns.absences(pl.Series(["a horse"]))
    new = patterns.compile(r"\bokapis?\b")
    with patterns.asking:
        patterns.about(before)
        assert new.search("okapi")


def _answers(monkeypatch: pytest.MonkeyPatch, texts: list[str]) -> None:
    frame = pl.DataFrame({"nct_id": [f"NCT{i:08d}" for i in range(len(texts))], "eligibility_text": texts})
    # Twice: patterns within functions are known from their first use on.
    eligibility.parse(frame)
    grammar.forget()
    held_back = eligibility.parse(frame)
    grammar.forget()
    monkeypatch.setattr(patterns, "absences", lambda texts: [0] * len(texts))
    all_tried = eligibility.parse(frame)
    assert held_back["criterion_constraints"].equals(all_tried["criterion_constraints"])
    assert held_back["criteria"].equals(all_tried["criteria"])


def test_no_answer_is_lost(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    _answers(monkeypatch, documents(project / "examples" / "registry"))


def test_no_answer_is_lost_in_real_texts(monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    lines = (shared / "eligibility" / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines] + documents(shared / "registry" / "studies")
    _answers(monkeypatch, texts)


def test_every_rule_asks_through_patterns() -> None:
    """A rule file that imports `re` itself is right but slow."""
    for module in (
        grammar,
        *(getattr(grammar, name) for name in ("rules_ms", "rules_therapy", "rules_safety")),
    ):
        assert module.re is patterns, module.__name__
