"""ClinicalTrials.gov on a loopback socket: the API's paths over studies that a test brings, and its bad nights.

`Replay` answers `/api/v2/studies`, `/studies/{id}`, `/studies/metadata`, `/stats/size` and `/version` as the
API's contract says: opaque tokens bound to the search, `totalCount` on the first page alone, 301 for alias
ids, plain text with 400 and 404. `misbehave` queues faults for the next requests of a path. Studies are
invented (`study`) or recorded. No sleeping: time belongs to `FakeClock`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROOT = "/api/v2"


class FakeClock:
    """Time that passes when somebody sleeps, and by `step` seconds whenever somebody looks."""

    def __init__(self, start: str = "2026-11-20T02:00:00+00:00", step: float = 0.0):
        self.time = datetime.fromisoformat(start).astimezone(UTC)
        self.step = step
        self.slept: list[float] = []

    def now(self) -> datetime:
        self.time += timedelta(seconds=self.step)
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)

    def pass_time(self, **units: float) -> None:
        self.time += timedelta(**units)


def study(
    number: int, *, title: str | None = None, updated: str = "2026-01-15", **changes: Any
) -> dict[str, Any]:
    """An invented study, NCT9xxxxxxx, in the shape of the API. `changes` replaces modules of the protocol section."""
    nct_id = f"NCT9{number:07d}"
    protocol: dict[str, Any] = {
        "identificationModule": {
            "nctId": nct_id,
            "orgStudyIdInfo": {"id": f"INVENTED-{number}"},
            "briefTitle": title or f"Invented study {number} of multiple sclerosis",
        },
        "statusModule": {
            "statusVerifiedDate": updated[:7],
            "overallStatus": "RECRUITING",
            "startDateStruct": {"date": "2024-03", "type": "ACTUAL"},
            "completionDateStruct": {"date": "2027-12-31", "type": "ESTIMATED"},
            "lastUpdatePostDateStruct": {"date": updated, "type": "ACTUAL"},
        },
        "conditionsModule": {"conditions": ["Multiple Sclerosis"]},
        "designModule": {"studyType": "INTERVENTIONAL", "enrollmentInfo": {"count": 60, "type": "ESTIMATED"}},
        "outcomesModule": {
            "primaryOutcomes": [{"measure": "Annualized Relapse Rate", "timeFrame": "Up to 2 years"}],
            "secondaryOutcomes": [{"measure": "Change in EDSS", "timeFrame": "Baseline, Month 24"}],
        },
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\n* EDSS 0 to 5.5",
            "sex": "ALL",
            "minimumAge": "18 Years",
        },
        "contactsLocationsModule": {
            "locations": [{"facility": f"Clinic {number}", "city": "Basel", "country": "Switzerland"}]
        },
    }
    protocol |= changes
    return {
        "protocolSection": protocol,
        "derivedSection": {"miscInfoModule": {"versionHolder": "2026-11-19"}},
        "hasResults": False,
    }


def metadata_field(name: str, kind: str, *children: dict[str, Any]) -> dict[str, Any]:
    node = {
        "name": name,
        "piece": name.capitalize(),
        "sourceType": "STRUCT" if children else "TEXT",
        "type": kind,
    }
    return node | ({"children": list(children)} if children else {})


def nct_id(document: dict[str, Any]) -> str:
    return document["protocolSection"]["identificationModule"]["nctId"]


def studies(count: int, first: int = 1, **settings: Any) -> list[dict[str, Any]]:
    return [study(number, **settings) for number in range(first, first + count)]


@dataclass
class Fault:
    """One misbehaviour. `path` is where it happens (`/studies`, `/version` …), `on_page` narrows it to one page."""

    name: str
    path: str = "/studies"
    on_page: int | None = None
    times: int = 1
    value: Any = None


@dataclass
class Request:
    path: str
    params: dict[str, str]
    answered: int | None = None
    page: int | None = None


@dataclass
class Replay:
    """The registry's state and what goes wrong next."""

    documents: list[dict[str, Any]]
    version: str = "2026-11-19T09:00:05"
    aliases: dict[str, str] = field(default_factory=dict)
    metadata: list[dict[str, Any]] = field(default_factory=lambda: [metadata_field("hasResults", "boolean")])
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    validate: Callable[[str, str, dict[str, str], int, str, bytes], None] | None = None
    problems: list[str] = field(default_factory=list)
    url: str = ""

    def misbehave(self, name: str, **where: Any) -> None:
        """Queue a fault: status codes (`429`, `500` …), `slow`, `cut`, `reset`, `wrong_json`, `html`, `loop`,
        `empty_page`, `wrong_total`, `no_total`, `drop`, `duplicate`, `without_id`, `bad_token`, `redirect_away`."""
        self.faults.append(Fault(name, **where))

    def take(self, path: str, page: int | None, *names: str) -> Fault | None:
        for fault in self.faults:
            if fault.path == path and fault.name in names and fault.times and fault.on_page in (None, page):
                fault.times -= 1
                return fault
        return None

    @property
    def pages_asked(self) -> list[Request]:
        return [
            request
            for request in self.requests
            if request.path == "/studies" and "fields" not in request.params
        ]

    # --- answers

    def search(self, params: dict[str, str]) -> list[dict[str, Any]]:
        found = self.documents
        if condition := params.get("query.cond"):
            found = [
                d
                for d in found
                if condition.lower() in json.dumps(d["protocolSection"].get("conditionsModule", {})).lower()
            ]
        if ids := params.get("filter.ids"):
            wanted = {self.aliases.get(i, i) for i in re.split(r"[|,]", ids)}
            found = [d for d in found if nct_id(d) in wanted]
        if advanced := params.get("filter.advanced"):
            match = re.search(r"AREA\[LastUpdatePostDate\]RANGE\[(\d{4}-\d\d-\d\d),\s*MAX\]", advanced)
            if match:
                found = [d for d in found if _updated(d) >= match.group(1)]
        return found

    def studies_page(self, params: dict[str, str]) -> tuple[int, str, bytes, int]:
        size = min(int(params.get("pageSize") or 10) or 10, 1000)
        key = hashlib.sha256(
            json.dumps(
                {k: v for k, v in params.items() if k not in ("countTotal", "pageSize", "pageToken")},
                sort_keys=True,
            ).encode()
        ).hexdigest()[:8]
        place, page = 0, 1
        if token := params.get("pageToken"):
            try:
                said, place_said, page_said = (
                    base64.urlsafe_b64decode(token.removeprefix("ZVt0_-")).decode().split(":")
                )
                place, page = int(place_said), int(page_said)
            except (ValueError, UnicodeDecodeError):
                return 400, "text/plain", b"`pageToken` is not valid", page
            if said != key:
                return 400, "text/plain", b"`pageToken` is incompatible with the other parameters", page
        found = self.search(params)
        chunk = found[place : place + size]
        following = place + size
        if self.take("/studies", page, "empty_page"):
            chunk, following = [], place
        if self.take("/studies", page, "drop"):
            chunk = chunk[:-1]
        if self.take("/studies", page, "duplicate") and place:
            chunk = [found[place - 1], *chunk]
        if self.take("/studies", page, "without_id"):
            chunk = [{"protocolSection": {"identificationModule": {}}}, *chunk[1:]]
        if params.get("fields") == "NCTId":
            chunk = [{"protocolSection": {"identificationModule": {"nctId": nct_id(d)}}} for d in chunk]
        content: dict[str, Any] = {"studies": chunk}
        if following < len(found):
            content["nextPageToken"] = self._token(key, following, page + 1)
        if self.take("/studies", page, "loop"):
            content["nextPageToken"] = params.get("pageToken") or self._token(key, 0, page)
        if params.get("countTotal") == "true" and "pageToken" not in params:
            wrong = self.take("/studies", page, "wrong_total")
            if not self.take("/studies", page, "no_total"):
                content["totalCount"] = wrong.value if wrong else len(found)
        return 200, "application/json", json.dumps(content).encode(), page

    def _token(self, key: str, place: int, page: int) -> str:
        return "ZVt0_-" + base64.urlsafe_b64encode(f"{key}:{place}:{page}".encode()).decode()

    def single(self, asked: str) -> tuple[int, str, bytes, dict[str, str]]:
        if not re.fullmatch(r"[Nn][Cc][Tt]0*[1-9]\d{0,7}", asked):
            return 400, "text/plain", b"Study ID has incorrect format", {}
        if asked in self.aliases:
            return 301, "", b"", {"Location": f"{ROOT}/studies/{self.aliases[asked]}"}
        for document in self.documents:
            if nct_id(document) == asked:
                return 200, "application/json", json.dumps(document).encode(), {}
        return 404, "text/plain", f"NCT number {asked} not found".encode(), {}

    def version_answer(self) -> bytes:
        return json.dumps({"apiVersion": "2.0.3", "dataTimestamp": self.version}).encode()


def _updated(document: dict[str, Any]) -> str:
    return document["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small answers in two writes would wait for each other.
    disable_nagle_algorithm = True
    replay: Replay

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        replay = self.replay
        split = urlsplit(self.path)
        params = dict(parse_qsl(split.query, keep_blank_values=True))
        path = split.path.removeprefix(ROOT)
        request = Request(path, params)
        replay.requests.append(request)
        headers: dict[str, str] = {}
        family = "/studies/{nctId}" if re.fullmatch(r"/studies/[^/]*\d[^/]*", path) else path
        if path == "/studies":
            status, kind, body, request.page = replay.studies_page(params)
        elif path == "/version":
            status, kind, body = 200, "application/json", replay.version_answer()
        elif path == "/studies/metadata":
            status, kind, body = 200, "application/json", json.dumps(replay.metadata).encode()
        elif path == "/stats/size":
            status, kind, body = 200, "application/json", b'{"totalCount": %d}' % len(replay.documents)
        elif family != path:
            status, kind, body, headers = replay.single(path.rpartition("/")[2])
        else:
            status, kind, body = 404, "text/plain", b"Not found"
        if fault := replay.take(family, request.page, "slow", "cut", "reset", "wrong_json", "html", "redirect_away",
                                "bad_token", "400", "403", "404", "408", "429", "500", "502", "503"):  # fmt: skip
            request.answered = -1
            return self._misbehave(fault, body)
        request.answered = status
        if replay.validate:
            try:
                replay.validate(family, path, params, status, kind, body)
            except Exception as error:
                replay.problems.append(f"{path} {params}: {error!r}: {error.__cause__!r}")
        self._answer(status, kind, body, headers)

    def _answer(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _misbehave(self, fault: Fault, body: bytes) -> None:
        name = fault.name
        if name.isdigit():
            headers = (
                {"Retry-After": str(fault.value)}
                if fault.value is not None and name in ("429", "503")
                else {}
            )
            text = (
                fault.value
                if isinstance(fault.value, str) and name in ("400", "404")
                else "It did not work today"
            )
            self._answer(int(name), "text/plain", str(text).encode(), headers)
        elif name == "bad_token":
            self._answer(400, "text/plain", b"`pageToken` is not valid", {})
        elif name == "wrong_json":
            self._answer(200, "application/json", body[: len(body) // 2], {})
        elif name == "html":
            self._answer(200, "text/html", b"<!doctype html><title>Maintenance</title>", {})
        elif name == "redirect_away":
            self._answer(302, "text/html", b"", {"Location": "http://login.invalid/portal"})
        elif name in ("slow", "cut"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if name == "cut":
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                return
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(body), 64):
                self.wfile.write(body[start : start + 64])
                self.wfile.flush()
        elif name == "reset":
            # Linger 0 sends RST instead of FIN.
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self.close_connection = True
            self.connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Clients that break off are part of the play."""


@contextmanager
def serve(documents: list[dict[str, Any]], **state: Any) -> Iterator[Replay]:
    """A running `Replay`; its `url` is what settings.registry.url should be."""
    replay = Replay(documents, **state)
    handler = type("Handler", (_Handler,), {"replay": replay})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    replay.url = f"http://127.0.0.1:{server.server_address[1]}{ROOT}"
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port on which nobody listens: connections to it are refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def contract(path: str) -> Callable[[str, str, dict[str, str], int, str, bytes], None]:
    """A check of requests and answers against the API's OpenAPI document at `path`.

    Raises from the returned function: openapi-core's exceptions, for what the contract does not allow.
    """
    from openapi_core import OpenAPI
    from openapi_core.datatypes import RequestParameters
    from werkzeug.datastructures import Headers, ImmutableMultiDict

    document = OpenAPI.from_file_path(path)

    class Asked:
        host_url = "https://clinicaltrials.gov"
        method = "get"
        content_type = ""
        body = None

        def __init__(self, asked: str, params: dict[str, str]):
            self.path = ROOT + asked
            self.parameters = RequestParameters(
                query=ImmutableMultiDict(params), header=Headers(), cookie=ImmutableMultiDict()
            )

    class Answered:
        headers = Headers()

        def __init__(self, status: int, kind: str, body: bytes):
            self.status_code, self.content_type, self.data = status, kind, body

    def check(_family: str, asked: str, params: dict[str, str], status: int, kind: str, body: bytes) -> None:
        request = Asked(asked, params)
        if status != 400:
            document.validate_request(request)
        if status != 301:
            document.validate_response(request, Answered(status, kind, body))

    return check
