"""Pages of a markdown mirror → the registry's own study documents, and the mirror as a source.

A page has front matter, key facts, texts, eligibility, arms, interventions, outcomes, locations and the
mirror's own feed of recent changes. It holds less than the registry's record; what it does not say stays
absent. No tables here: the documents go the way of all others.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.errors import BrokenDocument, RegistryError, RegistryRefused, RegistryUnreachable
from pipeline.landing import Landing
from pipeline.registry import forms
from pipeline.registry.source import Progress, Pull, silent
from pipeline.registry.web import Clock, Web
from pipeline.settings import RegistrySettings

NCT_ID = re.compile(r"NCT\d{8}")

# Only these headings end a text: summaries may hold headings of their own.
_SECTIONS = (
    "Key Facts", "Brief Summary", "Detailed Description", "Eligibility", "Arms", "Interventions", "Primary Outcomes",
    "Secondary Outcomes", "Other Outcomes", "Locations", "Recent Field Changes",
)  # fmt: skip
_HEADING = re.compile(rf"({'|'.join(_SECTIONS)})(?:\s*\(.*\))?")
_FACT = re.compile(r"\*\*(?P<name>[^*]+?):\*\*\s*(?P<value>.*)", re.DOTALL)
_ITEM = re.compile(r"\*\*(?P<name>.+?)\*\*(?:\s*\((?P<kind>[A-Z_]+)\))?(?:\s*—\s*(?P<text>.*))?", re.DOTALL)
_OUTCOME = re.compile(
    r"\*\*(?P<name>.+?)\*\*(?:\s*_\(time frame:\s*(?P<frame>.*?)\)_)?(?:\s*—\s*(?P<text>.*))?", re.DOTALL
)
_CHANGE = re.compile(r"`(?P<path>.+)`\s*—\s*(?P<kind>\w+)\s*_\((?P<day>\d{4}-\d{2}-\d{2})\)_", re.DOTALL)
_CHANGE_KINDS = ("added", "changed", "removed")


@dataclass(frozen=True)
class Page:
    """One page: the study document, the mirror's own change feed, and lines that could not be understood.

    A change is `field_path`, `change_kind` (`baseline`, `added`, `changed`, `removed`), `seen_on`, `version`.
    """

    study: dict[str, Any]
    changes: tuple[dict[str, str], ...]
    not_understood: tuple[str, ...] = ()


def parse(text: str) -> Page:
    """Read one page.

    Raises:
        BrokenDocument: no front matter with an NCT id, or the page ends before its sections.
    """
    front, body = _front_matter(text)
    nct_id = str(front.get("nct_id") or "")
    if not NCT_ID.fullmatch(nct_id):
        raise BrokenDocument("is no mirror page: its front matter has no nct_id")
    reader = _PageReader(body)
    if "Key Facts" not in reader.sections:
        raise BrokenDocument("is no whole mirror page: the section Key Facts is missing")
    if not reader.is_closed:
        raise BrokenDocument("is no whole mirror page: its end is missing")
    facts = reader.facts("Key Facts")
    eligibility = reader.facts("Eligibility")
    protocol: dict[str, Any] = {
        "identificationModule": {
            "nctId": nct_id,
            "briefTitle": front.get("title"),
            "officialTitle": reader.official_title(),
        },
        "statusModule": {
            "overallStatus": facts.get("Status") or front.get("overall_status"),
            "whyStopped": facts.get("Why Stopped"),
            "startDateStruct": _day(facts.get("Start Date")),
            "primaryCompletionDateStruct": _day(facts.get("Primary Completion Date")),
            "completionDateStruct": _day(facts.get("Completion Date")),
            "lastUpdatePostDateStruct": _day(
                facts.get("CT.gov Last Update") or front.get("ct_last_update_post_date")
            ),
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": facts.get("Lead Sponsor") or front.get("sponsor")}
        },
        "descriptionModule": {
            "briefSummary": reader.text("Brief Summary"),
            "detailedDescription": reader.text("Detailed Description"),
        },
        "conditionsModule": {
            "conditions": _conditions(facts.get("Conditions"), front.get("primary_condition"))
        },
        "designModule": {
            "studyType": facts.get("Study Type") or front.get("study_type"),
            "phases": re.split(r"\s*[,/]\s*", facts["Phase"]) if facts.get("Phase") else None,
            "enrollmentInfo": {"count": facts.get("Target Enrollment")},
        },
        "eligibilityModule": {
            "eligibilityCriteria": reader.fenced("Eligibility"),
            "minimumAge": eligibility.get("Minimum age"),
            "maximumAge": eligibility.get("Maximum age"),
            "sex": eligibility.get("Sex"),
            "healthyVolunteers": {"yes": "true", "no": "false"}.get(
                eligibility.get("Healthy Volunteers", "").lower()
            ),
        },
        "armsInterventionsModule": {
            "armGroups": [
                {"label": m["name"], "type": m["kind"], "description": m["text"]}
                for m in reader.items("Arms", _ITEM)
            ],
            "interventions": [
                {"name": m["name"], "type": m["kind"], "description": m["text"]}
                for m in reader.items("Interventions", _ITEM)
            ],
        },
        "outcomesModule": {
            key: [
                {"measure": m["name"], "timeFrame": m["frame"], "description": m["text"]}
                for m in reader.items(section, _OUTCOME)
            ]
            for key, section in (
                ("primaryOutcomes", "Primary Outcomes"),
                ("secondaryOutcomes", "Secondary Outcomes"),
                ("otherOutcomes", "Other Outcomes"),
            )
        },
    }
    changes = _changes(
        reader.items("Recent Field Changes", _CHANGE), str(front.get("ct_last_update_post_date") or "")
    )
    protocol["contactsLocationsModule"] = {
        "locations": _locations(reader.lines("Locations"), str(front.get("countries") or ""), changes)
    }
    return Page({"protocolSection": _without_nothing(protocol)}, changes, tuple(reader.not_understood))


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    match = re.match(r"\ufeff?---\s*\r?\n(.*?)\r?\n---\s*\r?\n(.*)", text, re.DOTALL)
    if match is None:
        raise BrokenDocument("is no mirror page: it does not begin with front matter")
    try:
        front = yaml.safe_load(match.group(1))
    except yaml.YAMLError:
        raise BrokenDocument("is no mirror page: its front matter is not YAML") from None
    if not isinstance(front, dict):
        raise BrokenDocument("is no mirror page: its front matter holds no fields")
    return front, match.group(2)


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark")


@dataclass
class _PageReader:
    """The sections of a page, each as its source lines: the registry's escapes stay as they are."""

    body: str
    sections: dict[str, tuple[int, int]] = field(default_factory=dict)
    not_understood: list[str] = field(default_factory=list)
    is_closed: bool = False  # a page ends with a rule and a footer

    def __post_init__(self) -> None:
        self.source = self.body.replace("\r\n", "\n").split("\n")
        self.tokens = _markdown().parse("\n".join(self.source))
        starts: list[tuple[str, int, int]] = []
        end = len(self.source)
        for place, token in enumerate(self.tokens):
            if token.type == "heading_open" and token.tag == "h2" and token.level == 0:
                match = _HEADING.fullmatch(self.tokens[place + 1].content.strip())
                if match and match.group(1) not in (name for name, _, _ in starts):
                    starts.append((match.group(1), token.map[0], token.map[1]))
            elif token.type == "hr" and token.level == 0 and starts:
                end = token.map[0]  # the last rule before the footer
                self.is_closed = True
        for (name, _, first), following in zip(starts, [*starts[1:], ("", end, end)], strict=True):
            self.sections[name] = (first, max(first, following[1]))

    def _inside(self, section: str) -> list[Token]:
        first, last = self.sections.get(section, (0, 0))
        return [
            token for token in self.tokens if token.map and first <= token.map[0] and token.map[1] <= last
        ]

    def official_title(self) -> str | None:
        for token in self.tokens:
            match = re.match(r"\*\*Official Title:\*\*\s*(.*)", token.content, re.DOTALL)
            if token.type == "inline" and match:
                return " ".join(match.group(1).split())
        return None

    def text(self, section: str) -> str | None:
        first, last = self.sections.get(section, (0, 0))
        return "\n".join(self.source[first:last]).strip() or None

    def fenced(self, section: str) -> str | None:
        fences = [token.content for token in self._inside(section) if token.type == "fence"]
        return fences[0].strip("\n") if fences else None

    def lines(self, section: str) -> list[str]:
        """The top items of the section's list, each as one text without its bullet."""
        items = []
        for token in self._inside(section):
            if token.type == "list_item_open" and token.level == 1:
                lines = self.source[token.map[0] : token.map[1]]
                items.append(re.sub(r"^\s*[-*+]\s+", "", "\n".join(line.strip() for line in lines)).strip())
        return items

    def items(self, section: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        found = []
        for line in self.lines(section):
            if match := pattern.fullmatch(line):
                found.append(match)
            else:
                self.not_understood.append(section)
        return found

    def facts(self, section: str) -> dict[str, str]:
        return {match["name"].strip(): match["value"].strip() for match in self.items(section, _FACT)}


def _day(text: Any) -> dict[str, str] | None:
    return {"date": str(text)} if text else None


def _conditions(text: str | None, primary: Any) -> list[str]:
    """Conditions stand on one line; the first may hold a comma itself, and the front matter names it."""
    if not text:
        return [str(primary)] if primary else []
    if primary and text.startswith(str(primary)):
        rest = text[len(str(primary)) :].strip(", ")
        return [str(primary), *(part for part in rest.split(", ") if part)]
    return text.split(", ")


def _changes(matches: list[re.Match[str]], version: str) -> tuple[dict[str, str], ...]:
    """The mirror's feed. On the day on which it first saw the study everything is `added`: that is the baseline."""
    first_seen = {m["day"] for m in matches if m["path"] == "status.overallStatus" and m["kind"] == "added"}
    return tuple(
        {
            "field_path": m["path"],
            "change_kind": "baseline"
            if m["kind"] == "added" and m["day"] in first_seen
            else (m["kind"] if m["kind"] in _CHANGE_KINDS else "changed"),
            "seen_on": m["day"],
            "version": version,
        }
        for m in matches
    )


def _locations(
    lines: list[str], countries: str, changes: tuple[dict[str, str], ...]
) -> list[dict[str, str | None]]:
    """Sites. A line is `facility, city, state, country` with commas inside any of them.

    The change feed spells the same site with bars between its parts; where it does not have the site, the
    country is told by the front matter, and of the rest the last part is the city, or city and state when
    there are three.
    """
    known = {}
    for change in changes:
        parts = change["field_path"].removeprefix("locations.").split("|")
        if change["field_path"].startswith("locations.") and len(parts) == 4:
            known[", ".join(part for part in parts if part)] = [len(part) for part in parts]
    return [_location(line, known.get(line.lower()), countries) for line in lines]


def _location(line: str, lengths: list[int] | None, countries: str) -> dict[str, str | None]:
    if lengths:
        parts, place = [], 0
        for length in lengths:
            parts.append(line[place : place + length] or None)
            place += length + 2 if length else 0
        return dict(zip(("facility", "city", "state", "country"), parts, strict=True))
    pieces = line.split(", ")
    # The longest end of the line that the front matter knows as a country ("Korea, Republic of").
    size = next(
        (n for n in range(min(3, len(pieces)), 0, -1) if f", {', '.join(pieces[-n:])}," in f", {countries},"),
        1,
    )
    country, rest = ", ".join(pieces[-size:]), pieces[:-size]
    if len(rest) == 1:  # no facility was posted: the registry always has a city
        return {"facility": None, "city": rest[0], "state": None, "country": country}
    if len(rest) == 2:
        return {"facility": rest[0], "city": rest[1], "state": None, "country": country}
    return {
        "facility": ", ".join(rest[:-2]) or None,
        "city": rest[-2] if len(rest) > 1 else None,
        "state": rest[-1] if len(rest) > 1 else None,
        "country": country,
    }


def _without_nothing(node: Any) -> Any:
    """The document without nulls and empty lists, as the registry writes it."""
    if isinstance(node, dict):
        kept = {key: _without_nothing(value) for key, value in node.items()}
        return {key: value for key, value in kept.items() if value not in (None, [], {}, "")}
    if isinstance(node, list):
        return [_without_nothing(item) for item in node]
    return node.isoformat() if isinstance(node, date) else node


def document(text: str) -> bytes:
    """One page as one line of JSON, in the registry's own structure."""
    return json.dumps(parse(text).study, ensure_ascii=False).encode()


class MirrorSource:
    """Mirror pages from a folder, or from a site.

    Args:
        where: a folder, a page's address, or the address of a page, list or sitemap that links to
            `…/NCT00000000.md` pages of the same host.
        settings: rate and patience of HTTP.
        transport, clock: for tests and for other transports, as in web.py.
    """

    name = "mirror"

    def __init__(
        self,
        where: str | Path,
        settings: RegistrySettings | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ):
        self.where = str(where)
        self.settings = settings or RegistrySettings()
        self.transport = transport
        self.clock = clock

    def pull(self, landing: Landing, progress: Progress = silent) -> Pull:
        """Land what is new or changed, withdraw pages that are gone; a page that fails keeps its last good version.

        Raises:
            RegistryError: the mirror cannot be reached, or has no usable page; landing is as it was.
        """
        before = {entry.name: entry for entry in landing.current(self.name)}
        is_site = urlsplit(self.where).scheme in ("http", "https")
        pages, missing, set_aside = self._site(progress) if is_site else self._folder(progress)
        good: dict[str, bytes] = {}
        for name, content in pages.items():
            try:
                parse(content.decode("utf-8"))
                good[name] = content
            except (BrokenDocument, UnicodeDecodeError) as error:
                reason = str(error) if isinstance(error, BrokenDocument) else "is not UTF-8 text"
                set_aside.append(f"{name}: {reason}; it was set aside. Look at the page, then pull again.")
        if not good:
            raise RegistryError(
                f"The mirror {self.where} has no usable page; nothing was replaced. "
                + (set_aside[0] if set_aside else "Set mirror_url to a folder or site of mirror pages.")
            )
        is_unchanged = True
        for name, content in good.items():
            sha256, size = landing.put(content)
            if name not in before or before[name].sha256 != sha256:
                landing.record(source=self.name, name=name, sha256=sha256, size=size, form=forms.MIRROR)
                is_unchanged = False
        for name in before.keys() - pages.keys() - missing:
            landing.record(source=self.name, name=name, event="withdrawn")
            is_unchanged = False
        return Pull(
            source=self.name,
            documents=len(landing.current(self.name)),
            is_unchanged=is_unchanged,
            set_aside=tuple(set_aside),
        )

    def _folder(self, progress: Progress) -> tuple[dict[str, bytes], set[str], list[str]]:
        folder = Path(self.where)
        if not folder.is_dir():
            raise RegistryError(
                f"The mirror folder {folder} does not exist: set mirror_url to a folder or an address."
            )
        files = sorted(path for path in folder.rglob("*.md") if path.name.lower() != "readme.md")
        progress("mirror pages", len(files), len(files))
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}, set(), []

    def _site(self, progress: Progress) -> tuple[dict[str, bytes], set[str], list[str]]:
        parts = urlsplit(self.where)
        set_aside: list[str] = []
        pages: dict[str, bytes] = {}
        missing: set[str] = set()
        with Web(
            self.settings, f"{parts.scheme}://{parts.netloc}", transport=self.transport, clock=self.clock
        ) as web:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            start = web.get(path).content
            if start.lstrip().startswith(b"---"):
                return {_page_name(path): start}, set(), []
            addresses = self._links(start.decode("utf-8", errors="replace"))
            for done, address in enumerate(addresses):
                progress("mirror pages", done, len(addresses))
                try:
                    pages[_page_name(address)] = web.get(address).content
                except (RegistryRefused, RegistryUnreachable) as error:
                    missing.add(_page_name(address))
                    set_aside.append(f"{_page_name(address)}: {error}")
        return pages, missing, set_aside

    def _links(self, text: str) -> list[str]:
        """Paths of the pages that the start page links to, on its own host."""
        host = urlsplit(self.where).netloc
        found = (urljoin(self.where, link) for link in re.findall(r"[^\s\"'<>()\[\]]*NCT\d{8}\.md", text))
        return list(dict.fromkeys(urlsplit(link).path for link in found if urlsplit(link).netloc == host))


def _page_name(address: str) -> str:
    return urlsplit(address).path.rsplit("/", 1)[-1]
