"""What a document is, told from its first bytes: its container and what one item of it holds.

A form is `container/content`: container as DuckDB's JSON reader calls it (`array`, `newline_delimited`,
`unstructured` for one object or several in a row), content `study`, `page` (`{"studies": [...]}`) or
`history` (`{"study": …, "history": …}`). `markdown/mirror` is a page of the markdown mirror.
"""

from __future__ import annotations

import json
import re

HEAD = 1 << 18  # bytes that are enough to tell; a page token or a count before the list is short
MIRROR = "markdown/mirror"

_CONTENT = {
    "studies": "page",
    "study": "history",
    "history": "history",
    **dict.fromkeys(
        (
            "protocolSection",
            "resultsSection",
            "derivedSection",
            "annotationSection",
            "documentSection",
            "hasResults",
        ),
        "study",
    ),
}
_KEY = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_DECODER = json.JSONDecoder()


def sniff(head: bytes, name: str) -> str | None:
    """The form of a document that begins with `head`, or None where it is no study document.

    Args:
        head: the first bytes, at most `HEAD`, uncompressed.
        name: its file name without a compression suffix; tells lines from a single object.
    """
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if name.lower().endswith(".md"):
        return MIRROR if re.match(r"---\s*\n(.*\n)*?nct_id\s*:", text) else None
    if text.startswith("["):
        content = _content(text[1:].lstrip())
        return f"array/{content}" if content else None
    content = _content(text)
    if content is None:
        return None
    is_lines = name.lower().endswith((".jsonl", ".ndjson"))
    return f"{'newline_delimited' if is_lines else 'unstructured'}/{content}"


def _content(text: str) -> str | None:
    """What the object that begins here holds, by the first of its keys that says so."""
    if not text.startswith("{"):
        return None
    place = 1
    while match := _KEY.match(text, place):
        if match.group(1) in _CONTENT:
            return _CONTENT[match.group(1)]
        try:
            _, place = _DECODER.raw_decode(text, match.end())
        except ValueError:
            return None
        comma = re.compile(r"\s*,").match(text, place)
        if comma is None:
            return None
        place = comma.end()
    return None
