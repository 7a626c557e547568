"""ClinicalTrials.gov, API v2, as a registry source: pages of studies over HTTP into landing, complete or not at all.

Here belongs how a pull runs: paging, completeness, increments, resuming, what is withdrawn and what was
removed. Requests and retries are in web.py; what a study says is read later. docs/registry-pull.md tells
users how a pull behaves.

What stands in landing's journal for the source `clinicaltrials.gov`:

- `pull_started`: `pull` (its name), `query` (hash of address and search), `version` (the registry's data
  timestamp), `kind` (`full` or `update`).
- `page`: a page that arrived; `number`, `token`, `next_token`. It counts for nothing until its pull completes,
  and lets an interrupted pull go on where it stopped.
- `received` for each page of a completed pull, named `<pull>/<page>.json`, form `unstructured/page`;
  `withdrawn` for pages of which no study is in force any more. A page that holds studies which the registry
  has removed carries them in `removed` ({nct_id: {"at", "reason"}}); see `removed`.
- `pull_completed`: version, totals and the hash of its holdings, a landed JSON with one entry a study
  (content hash, page), from which the next pull knows what is new.
- `pull_failed`: why nothing was replaced.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import polars as pl
import zstandard

from pipeline.errors import BrokenDocument, IncompletePull, RegistryError
from pipeline.landing import Entry, Landing
from pipeline.registry import contract
from pipeline.registry.source import Progress, Pull, silent
from pipeline.registry.web import Clock, Refused, SystemClock, Unusable, Web
from pipeline.settings import RegistrySettings

NAME = "clinicaltrials.gov"
FORM = "unstructured/page"
# filter.ids goes into the address, and 100 ids of 11 characters keep it under 2,000 characters.
IDS_PER_REQUEST = 100
# Studies that vanished are looked up one by one, up to this many; beyond it that many requests say little.
LOOKED_UP = 100
_NCT_ID = re.compile(r"^NCT\d{8}$")
_IDS_ONLY = re.compile(r"^\s*NCT\d+(?:[\s,]+NCT\d+)*\s*$", re.I)


@dataclass
class Held:
    """A study as landing holds it: the hash of its content, the page that it is in, whether it is still there."""

    content: str
    page: str
    removed: dict[str, str] | None = None


@dataclass
class _Page:
    """A page of the running pull. `studies` maps NCT ids to content hashes."""

    name: str
    sha256: str
    size: int
    studies: dict[str, str]
    next_token: str | None
    total: int | None
    without_id: int = 0


@dataclass
class _Run:
    """What one attempt at a pull gathers."""

    pull: str
    query: str
    version: str
    kind: str
    landing: Landing
    progress: Progress
    resumed: list[Entry] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)


class _StartOver(Exception):
    """This attempt cannot become complete; another one can."""


class LiveSource:
    """The live registry, or what answers like it at `settings.url`.

    Args:
        settings: search, pace, patience and thresholds.
        transport: an httpx transport instead of the one that the settings name.
        clock: `now` and `sleep`; the machine's own by default.
    """

    name = NAME

    def __init__(
        self,
        settings: RegistrySettings,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ):
        self.settings = settings
        self.clock = clock or SystemClock()
        self._transport = transport

    # --- the pull

    def pull(self, landing: Landing, progress: Progress = silent) -> Pull:
        """Bring landing up to date with the registry.

        The first pull of a search takes every page; later ones take what was updated since the last data
        timestamp, with `overlap_days` of overlap, and compare all ids where the registry's total does not
        fit or `reconcile_days` have passed. A data timestamp that did not move means nothing changed.

        Returns:
            The pull; `documents` counts the pages in force, `studies` what the registry still has of them,
        `reported_total` is the registry's own count.

        Raises:
            RegistryRefused: the registry says no to the search or to this client.
            RegistryUnreachable: no useful answer within all attempts.
            IncompletePull: what arrived is not what the registry reports, or too much of what was there is gone.
            BrokenDocument: the registry answers with something that is no page of studies.

        After any of them landing holds the last good state.
        """
        query = self._query_hash()
        with Web(self.settings, self.settings.url, transport=self._transport, clock=self.clock) as web:
            self.web = web
            reasons: list[str] = []
            for _ in range(self.settings.max_restarts + 1):
                try:
                    return self._attempt(landing, progress, query)
                except _StartOver as reason:
                    reasons.append(str(reason))
                    landing.record(
                        source=self.name,
                        name=query,
                        event="pull_failed",
                        at=self.clock.now(),
                        reason=str(reason),
                    )
                except IncompletePull as error:
                    # Other errors leave the pull open: the next one goes on where this one stopped.
                    landing.record(
                        source=self.name,
                        name=query,
                        event="pull_failed",
                        at=self.clock.now(),
                        reason=str(error),
                    )
                    raise
        raise IncompletePull(
            f"{reasons[-1]}; {len(reasons)} attempts ended so and nothing was replaced. Run again later."
        )

    def _attempt(self, landing: Landing, progress: Progress, query: str) -> Pull:
        version = self._version()
        last = _last_completed(landing, query)
        held = _holdings(landing, last)
        if last and held and last.details["version"] == version and self._is_in_force(landing, held):
            return Pull(
                self.name,
                version,
                last.details["total"],
                documents=len(landing.current(self.name)),
                studies=_count_of(held),
                is_unchanged=True,
            )
        is_full = last is None or not held or not self._can_update() or not self._is_in_force(landing, held)
        run = self._start(landing, progress, query, version, "full" if is_full else "update")
        if is_full:
            pages, total = self._all_pages(run)
            found = self._merged(pages)
            gone = {nct_id for nct_id, study in held.items() if study.removed is None} - found.keys()
            reconciled_at = self.clock.now()
        else:
            assert last is not None
            pages, total, gone, is_reconciled = self._updated_pages(run, last, held)
            found = self._merged(pages)
            reconciled_at = (
                self.clock.now() if is_reconciled else datetime.fromisoformat(last.details["reconciled_at"])
            )
        self._check_shrink(held, gone)
        self._look_at_fields(run)
        removed = {nct_id: self._why_gone(nct_id, len(gone)) for nct_id in sorted(gone)}
        after = self._version()
        if after != version:
            raise _StartOver(f"the registry's data moved from {version} to {after} during the pull")
        return self._commit(run, pages, found, held, removed, total, reconciled_at)

    def _start(self, landing: Landing, progress: Progress, query: str, version: str, kind: str) -> _Run:
        """Begin a pull, or go on with one that was interrupted under the same data timestamp."""
        begun: Entry | None = None
        pages: list[Entry] = []
        for entry in landing.entries():
            if entry.source != self.name:
                continue
            if entry.event == "pull_started":
                begun, pages = entry, []
            elif entry.event in ("pull_completed", "pull_failed"):
                begun = None
            elif (
                entry.event == "page"
                and begun is not None
                and entry.details.get("pull") == begun.details["pull"]
            ):
                pages.append(entry)
        now = self.clock.now()
        if begun is not None:
            age = now - datetime.fromisoformat(begun.time)
            details = begun.details
            is_same = (details["query"], details["version"], details["kind"]) == (query, version, kind)
            if is_same and timedelta(0) <= age <= timedelta(hours=self.settings.resume_hours):
                whole = [entry for entry in pages if _is_whole(landing, entry)]
                return _Run(details["pull"], query, version, kind, landing, progress, whole)
        name = self._new_name(landing, now)
        landing.record(
            source=self.name,
            name=query,
            event="pull_started",
            at=now,
            pull=name,
            query=query,
            version=version,
            kind=kind,
        )
        return _Run(name, query, version, kind, landing, progress)

    def _new_name(self, landing: Landing, now: datetime) -> str:
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        taken = {
            entry.details.get("pull")
            for entry in landing.entries()
            if entry.source == self.name and entry.event == "pull_started"
        }
        number = 1
        while (name := stamp if number == 1 else f"{stamp}-{number}") in taken:
            number += 1
        return name

    # --- pages

    def _all_pages(self, run: _Run) -> tuple[list[_Page], int]:
        pages = list(self._pages(run, "all", self._search()))
        total = pages[0].total
        assert total is not None
        self._check_complete(pages, total, "the search")
        if total == 0:
            raise IncompletePull(
                "the registry finds no study for this search; nothing was replaced. "
                "Correct condition, intervention, term, ids or advanced in [registry] of remit.toml, or run again later."
            )
        return pages, total

    def _updated_pages(
        self, run: _Run, last: Entry, held: dict[str, Held]
    ) -> tuple[list[_Page], int, set[str], bool]:
        """What was updated since the last pull, and where ids must be compared, what is missing or gone.

        Returns:
            pages, the registry's total for the whole search, ids that are gone, whether all ids were compared.
        """
        since = date.fromisoformat(last.details["version"][:10]) - timedelta(days=self.settings.overlap_days)
        search = self._search()
        updated = f"AREA[LastUpdatePostDate]RANGE[{since.isoformat()},MAX]"
        given = search.get("filter.advanced")
        pages = list(
            self._pages(
                run, "updated", search | {"filter.advanced": f"({given}) AND {updated}" if given else updated}
            )
        )
        assert pages[0].total is not None
        self._check_complete(pages, pages[0].total, "the studies updated since the last pull")
        total = self._count(search)
        if total == 0:
            raise IncompletePull(
                "the registry finds no study for this search any more; nothing was replaced. "
                "Correct the search in [registry] of remit.toml, or run again later."
            )
        known = {nct_id for nct_id, study in held.items() if study.removed is None} | self._merged(
            pages
        ).keys()
        age = self.clock.now() - datetime.fromisoformat(last.details["reconciled_at"])
        if len(known) == total and age < timedelta(days=self.settings.reconcile_days):
            return pages, total, set(), False
        ids, total = self._all_ids(search)
        if missing := sorted(ids - known):
            pages += self._by_ids(run, missing)
            still = set(missing) - self._merged(pages).keys()
            if still:
                raise _StartOver(f"the registry lists {len(still)} studies that it does not send")
        return pages, total, known - ids, True

    def _by_ids(self, run: _Run, ids: list[str]) -> Iterator[_Page]:
        for start in range(0, len(ids), IDS_PER_REQUEST):
            some = ids[start : start + IDS_PER_REQUEST]
            yield from self._pages(
                run, f"missing-{start // IDS_PER_REQUEST + 1}", {"filter.ids": "|".join(some)}
            )

    def _pages(self, run: _Run, part: str, params: dict[str, str]) -> Iterator[_Page]:
        """All pages of one search, from landing as far as an interrupted pull brought them, then over HTTP."""
        params = {**params, "format": "json", "pageSize": str(self.settings.page_size)}
        token: str | None = None
        used: set[str] = set()
        number, studies, total = 0, 0, None
        kept = {entry.details["number"]: entry for entry in run.resumed if entry.details.get("part") == part}
        while True:
            number += 1
            entry = kept.get(number)
            if entry is not None and entry.details.get("token") == token:
                page = _page(run.landing, entry.name, entry.sha256, entry.bytes)
            else:
                kept = {}
                page = self._page_over_http(run, part, number, params, token)
            if number == 1:
                total = page.total
                if total is None:
                    raise _StartOver("the registry gave no total")
            if page.without_id:
                run.set_aside.append(
                    f"{self.name}: {page.without_id} records of page {number} have no NCT id; they were set aside. "
                    "Look at the page in landing if this repeats."
                )
            studies += len(page.studies)
            run.progress("studies from the registry", studies, total)
            yield page
            if page.next_token is None:
                return
            if page.next_token in used or page.next_token == token:
                raise _StartOver(f"the registry's pages run in a circle after page {number}")
            used.add(page.next_token)
            token = page.next_token

    def _page_over_http(
        self, run: _Run, part: str, number: int, params: dict[str, str], token: str | None
    ) -> _Page:
        params = params | ({"pageToken": token} if token else {"countTotal": "true"})
        name = f"{run.pull}/{part}-{number:05d}.json"
        try:
            answer = self.web.get(
                "/studies",
                params,
                consume=run.landing.put,
                check=lambda stored: _page(run.landing, name, *stored),
            )
        except Refused as error:
            if error.status == 400 and token:
                # A token that was good when the pull began: it aged, or the data moved on.
                raise _StartOver(f"the registry no longer accepts the token of page {number}") from None
            raise
        page = answer.content
        run.landing.record(
            source=self.name, name=name, sha256=page.sha256, size=page.size, event="page", at=self.clock.now(),
            pull=run.pull, part=part, number=number, token=token, next_token=page.next_token,
        )  # fmt: skip
        return page

    def _all_ids(self, search: dict[str, str]) -> tuple[set[str], int]:
        """Every id of the search and the total that the registry reports beside them."""
        params = {**search, "format": "json", "fields": "NCTId", "pageSize": "1000"}
        ids: set[str] = set()
        used: set[str] = set()
        token, total = None, None
        while True:
            content = self._json(
                "/studies", params | ({"pageToken": token} if token else {"countTotal": "true"})
            )
            if not isinstance(content.get("studies"), list):
                raise BrokenDocument("the registry's list of ids is no page of studies. Run again later.")
            ids |= {nct_id for study in content["studies"] if (nct_id := _nct_id(study))}
            total = content.get("totalCount") if token is None else total
            token = content.get("nextPageToken")
            if token is None:
                break
            if token in used:
                raise _StartOver("the registry's list of ids runs in a circle")
            used.add(token)
        if total is None or len(ids) != total:
            raise _StartOver(f"the registry reports {_n(total)} studies and lists {_n(len(ids))} ids")
        return ids, total

    def _count(self, search: dict[str, str]) -> int:
        content = self._json(
            "/studies", {**search, "format": "json", "fields": "NCTId", "pageSize": "1", "countTotal": "true"}
        )
        total = content.get("totalCount")
        if not isinstance(total, int):
            raise _StartOver("the registry gave no total")
        return total

    def _version(self) -> str:
        version = self._json("/version", {}).get("dataTimestamp")
        if not isinstance(version, str) or not re.match(r"^\d{4}-\d{2}-\d{2}", version):
            raise BrokenDocument(
                f"{self.settings.url}/version names no data timestamp; nothing was replaced. "
                "Check url in [registry] of remit.toml."
            )
        return version

    def _json(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        return self.web.get(path, params, check=_object).content

    # --- judging

    def _merged(self, pages: list[_Page]) -> dict[str, tuple[str, str]]:
        """NCT id → (content hash, page); of duplicates across pages the later one."""
        return {nct_id: (content, page.name) for page in pages for nct_id, content in page.studies.items()}

    def _check_complete(self, pages: list[_Page], total: int, what: str) -> None:
        arrived = len(self._merged(pages)) + sum(page.without_id for page in pages)
        if arrived != total:
            raise _StartOver(f"the registry reports {_n(total)} studies for {what}, {_n(arrived)} arrived")

    def _check_shrink(self, held: dict[str, Held], gone: set[str]) -> None:
        before = sum(study.removed is None for study in held.values())
        if before and len(gone) > self.settings.shrink_threshold * before:
            raise IncompletePull(
                f"{_n(len(gone))} of {_n(before)} studies are gone from the registry, more than "
                f"{self.settings.shrink_threshold:.0%}; nothing was replaced. If that is right, "
                "raise shrink_threshold in [registry] of remit.toml for one run."
            )

    def _why_gone(self, nct_id: str, among: int) -> dict[str, str]:
        """When and why a study is no longer in the search, by asking for it alone."""
        at = self.clock.now().isoformat(timespec="seconds")
        if among > LOOKED_UP:
            return {"at": at, "reason": "no longer found"}
        try:
            answer = self.web.get(f"/studies/{nct_id}", {"format": "json", "fields": "NCTId"}, check=_object)
        except Refused as error:
            if error.status != 404:
                raise
            return {"at": at, "reason": "not in the registry any more"}
        other = _nct_id(answer.content)
        if other and other != nct_id:
            return {"at": at, "reason": f"merged into {other}"}
        return {"at": at, "reason": "no longer found by the search"}

    def _is_in_force(self, landing: Landing, held: dict[str, Held]) -> bool:
        """Whether the pages that the last pull left are all still there."""
        names = {entry.name for entry in landing.current(self.name) if landing.blob(entry.sha256).exists()}
        return all(study.page in names for study in held.values())

    def _can_update(self) -> bool:
        # "If any query parameter contains only NCT IDs, filters are ignored": an update would return everything.
        texts = (self.settings.condition, self.settings.intervention, self.settings.term)
        return not any(_IDS_ONLY.match(text) for text in texts)

    def _look_at_fields(self, run: _Run) -> None:
        """Tell when the registry changed the fields of its records; that it cannot be asked stops no pull."""
        try:
            content = self.web.get("/studies/metadata", check=_fields).content
        except RegistryError:
            return
        if difference := contract.keep(run.landing, content, self.clock.now()):
            run.set_aside.append(
                f"{self.name}: {difference}. Look at registry.schema_drift, and at the columns that these fill."
            )

    # --- what is asked

    def _search(self) -> dict[str, str]:
        given = {
            "query.cond": self.settings.condition,
            "query.intr": self.settings.intervention,
            "query.term": self.settings.term,
            "filter.ids": "|".join(self.settings.ids),
            "filter.advanced": self.settings.advanced,
        }
        return {name: value for name, value in given.items() if value.strip()}

    def _query_hash(self) -> str:
        asked = json.dumps([self.settings.url.rstrip("/"), self._search()], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()[:16]

    # --- keeping

    def _commit(
        self,
        run: _Run,
        pages: list[_Page],
        found: dict[str, tuple[str, str]],
        held: dict[str, Held],
        removed: dict[str, dict[str, str]],
        total: int,
        reconciled_at: datetime,
    ) -> Pull:
        """Put the pull in force: pages with something new are received, pages without a study in force withdrawn."""
        now = self.clock.now()
        state = dict(held)
        for nct_id, (content, page) in found.items():
            before = held.get(nct_id)
            is_same = before is not None and before.content == content and before.removed is None
            if run.kind == "full" or not is_same:
                state[nct_id] = Held(content, page)
        for nct_id, why in removed.items():
            state[nct_id] = Held(held[nct_id].content, held[nct_id].page, why)
        is_unchanged = _contents(state) == _contents(held)
        if is_unchanged and held:
            # The registry moved, our studies did not: their pages stay, and so does every hash behind them.
            state = held
        by_name = {page.name: page for page in pages}
        known = {entry.name: entry for entry in run.landing.current(self.name)}
        # A run killed while it committed may have withdrawn a page already; its bytes are still in landing.
        once = {e.name: e for e in run.landing.entries() if e.source == self.name and e.event == "received"}
        wanted: dict[str, dict[str, dict[str, str]]] = {}
        for nct_id, study in state.items():
            wanted.setdefault(study.page, {})
            if study.removed is not None:
                wanted[study.page][nct_id] = study.removed
        renamed: dict[str, str] = {}
        for name, gone in wanted.items():
            entry = known.get(name)
            if entry is not None and entry.details.get("removed", {}) == gone:
                continue
            page = by_name.get(name)
            sha256, size = (page.sha256, page.size) if page else (once[name].sha256, once[name].bytes)
            new_name = name
            if entry is not None:
                # The same bytes say something else now: a new name shows that to whoever compares names and hashes.
                new_name = f"{name.split('@')[0]}@{run.pull}"
                renamed[name] = new_name
            run.landing.record(
                source=self.name, name=new_name, sha256=sha256, size=size, at=now,
                form=FORM, pull=run.pull, version=run.version, **({"removed": gone} if gone else {}),
            )  # fmt: skip
        for name in known.keys() - (wanted.keys() - renamed.keys()) - set(renamed.values()):
            run.landing.record(source=self.name, name=name, event="withdrawn", at=now)
        for study in state.values():
            study.page = renamed.get(study.page, study.page)
        holdings, _ = run.landing.put(
            json.dumps({nct_id: asdict(study) for nct_id, study in sorted(state.items())}).encode()
        )
        run.landing.record(
            source=self.name, name=run.query, event="pull_completed", at=now,
            pull=run.pull, query=run.query, version=run.version, kind=run.kind, total=total, holdings=holdings,
            reconciled_at=reconciled_at.isoformat(timespec="seconds"), removed=sorted(removed),
        )  # fmt: skip
        return Pull(
            self.name,
            run.version,
            total,
            documents=len(run.landing.current(self.name)),
            studies=_count_of(state),
            is_unchanged=is_unchanged,
            set_aside=tuple(run.set_aside),
        )


def removed(landing: Landing) -> pl.DataFrame:
    """Studies that were once found and are not any more; their last document is still among the current ones.

    Returns:
        `nct_id, removed_at (UTC), reason`, one row a study. These have `is_current = false` in registry.studies.
    """
    rows = [
        (nct_id, datetime.fromisoformat(why["at"]), why["reason"])
        for entry in landing.current(NAME)
        for nct_id, why in entry.details.get("removed", {}).items()
    ]
    schema = {"nct_id": pl.String(), "removed_at": pl.Datetime("us", "UTC"), "reason": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("nct_id")


def content_hash(study: dict[str, Any]) -> str:
    """Hash of what a study says: without the day of the registry's export, which moves every night."""
    derived = study.get("derivedSection")
    if isinstance(derived, dict) and isinstance(derived.get("miscInfoModule"), dict):
        misc = {name: value for name, value in derived["miscInfoModule"].items() if name != "versionHolder"}
        study = study | {"derivedSection": derived | {"miscInfoModule": misc}}
    return hashlib.sha256(json.dumps(study, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _count_of(state: dict[str, Held]) -> int:
    return sum(study.removed is None for study in state.values())


def _contents(state: dict[str, Held]) -> dict[str, tuple[str, bool]]:
    return {nct_id: (study.content, study.removed is None) for nct_id, study in state.items()}


def _page(landing: Landing, name: str, sha256: str, size: int) -> _Page:
    """A landed page with what the pull needs of it.

    Raises:
        Unusable: it is not JSON with a list of studies.
    """
    try:
        content = json.loads(landing.read(sha256))
        studies = content["studies"]
        token, total = content.get("nextPageToken"), content.get("totalCount")
        if (
            not isinstance(studies, list)
            or not isinstance(token, str | None)
            or not isinstance(total, int | None)
        ):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unusable("the answer is no page of studies", is_content=True) from None
    known: dict[str, str] = {}
    without_id = 0
    for study in studies:
        nct_id = _nct_id(study)
        if nct_id is None:
            without_id += 1
        else:
            known[nct_id] = content_hash(study)
    return _Page(name, sha256, size, known, token, total, without_id)


def _is_whole(landing: Landing, entry: Entry) -> bool:
    try:
        _page(landing, entry.name, entry.sha256, entry.bytes)
    except (Unusable, OSError, zstandard.ZstdError):
        return False
    return True


def _nct_id(study: Any) -> str | None:
    try:
        nct_id = study["protocolSection"]["identificationModule"]["nctId"]
    except (KeyError, TypeError):
        return None
    return nct_id if isinstance(nct_id, str) and _NCT_ID.match(nct_id) else None


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise Unusable("the answer is not JSON", is_content=True) from None
    if not isinstance(content, dict):
        raise Unusable("the answer is not a JSON object", is_content=True)
    return content


def _fields(body: bytes) -> bytes:
    try:
        contract.fields(json.loads(body))
    except (ValueError, RecursionError):
        raise Unusable("the answer is no list of fields", is_content=True) from None
    return body


def _last_completed(landing: Landing, query: str) -> Entry | None:
    """The last completed pull, where it was of this search and nothing else was pulled since."""
    last: Entry | None = None
    for entry in landing.entries():
        if entry.source == NAME and entry.event == "pull_completed":
            last = entry
    return last if last is not None and last.details.get("query") == query else None


def _holdings(landing: Landing, last: Entry | None) -> dict[str, Held]:
    if last is None or not landing.blob(last.details["holdings"]).exists():
        return {}
    content = json.loads(landing.read(last.details["holdings"]))
    return {nct_id: Held(**study) for nct_id, study in content.items()}


def _n(number: int | None) -> str:
    return "no number of" if number is None else f"{number:,}"
