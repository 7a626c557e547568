"""Polite HTTP GETs: one at a time, not faster than agreed, tried again where that can help, streamed.

Everything that a registry source asks over the network goes through `Web`. What is asked, and what the
answers mean, is the sources' business. Time comes from a clock that is handed in: tests wait for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar

import httpx
import tenacity

from pipeline.errors import BrokenDocument, RegistryRefused, RegistryUnreachable, SettingsError
from pipeline.settings import RegistrySettings

AGENT = "Remit/0.1 (clinical trial registry warehouse; one request at a time)"
# A server that trickles bytes never runs into the read timeout: a whole answer may take this many of them.
DEADLINE_TIMEOUTS = 20
_TEXT_SHOWN = 300
_REDIRECTS = 5

T = TypeVar("T")


class Clock(Protocol):
    """Where the time comes from. `now` is aware and in UTC."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Unusable(Exception):
    """An answer that may be better next time; internal, the last one becomes `RegistryUnreachable`.

    `retry_after` is what the server asked for, in seconds. With `is_content` the answer came whole and is
    not what was asked for; the last such one becomes `BrokenDocument`.
    """

    def __init__(self, reason: str, retry_after: float | None = None, *, is_content: bool = False):
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.is_content = is_content


class Refused(RegistryRefused):
    """`RegistryRefused` with the status, for callers to whom a 404 or 400 means something."""

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """A good answer: the address that gave it after redirects, its type, and what `consume` made of the body."""

    url: httpx.URL
    content_type: str
    content: Any


class Web:
    """GETs below one base address, with the rate, patience and transport of the settings."""

    def __init__(
        self,
        settings: RegistrySettings,
        base: str,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ):
        self.settings = settings
        self.base = base.rstrip("/")
        self.clock = clock or SystemClock()
        self._last_request: datetime | None = None
        self._client = httpx.Client(
            transport=transport or transport_of(settings),
            headers={"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate"},
            timeout=httpx.Timeout(settings.timeout_seconds),
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Web:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(
        self,
        path: str,
        params: dict[str, str] | None = None,
        consume: Callable[[Iterator[bytes]], T] = b"".join,  # type: ignore[assignment]
        check: Callable[[T], Any] | None = None,
    ) -> Answer:
        """GET `path`, stream the body through `consume`, and try again while that can help.

        Args:
            consume: takes the decoded body in chunks; its result is `content`. Called anew for every attempt.
            check: looks at that result; what it returns replaces `content`. Raising `Unusable` tries again.

        Raises:
            RegistryRefused: the server says no (400, 403, 404 and their kin); its own text is in the message.
            RegistryUnreachable: no good answer within `max_attempts`.
            BrokenDocument: only answers that `check` finds unusable within `max_attempts`.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Unusable),
            stop=tenacity.stop_after_attempt(self.settings.max_attempts),
            wait=self._wait,
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            return retrying(self._once, path, params or {}, consume, check)
        except Unusable as error:
            if error.is_content:
                raise BrokenDocument(
                    f"{self.base}{path}: {error.reason} ({self.settings.max_attempts} attempts); nothing was replaced. "
                    "Check the address in [registry] of remit.toml and any proxy in between, and run again."
                ) from None
            raise RegistryUnreachable(
                f"{self.base}{path} did not answer usefully in {self.settings.max_attempts} attempts ({error.reason}); "
                "nothing was replaced. Check the connection and run again later."
            ) from None

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Growing waits with jitter, never shorter than the server asks."""
        grown = tenacity.wait_exponential_jitter(initial=1, max=60, jitter=1)(state)
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, Unusable) else None
        return max(grown, asked or 0.0)

    def _once(
        self,
        path: str,
        params: dict[str, str],
        consume: Callable[[Iterator[bytes]], T],
        check: Callable[[T], Any] | None,
    ) -> Answer:
        url = httpx.URL(self.base + path, params=params) if params else httpx.URL(self.base + path)
        for _ in range(_REDIRECTS):
            self._keep_pace()
            try:
                with self._client.stream("GET", url) as response:
                    if response.is_redirect:
                        url = self._redirected(response)
                        continue
                    self._refuse(response)
                    content = consume(self._chunks(response))
                    kind = response.headers.get("Content-Type", "")
            except httpx.TimeoutException:
                raise Unusable(f"no answer within {self.settings.timeout_seconds:g} s") from None
            except httpx.ConnectError:
                raise Unusable("no connection") from None
            except (httpx.TransportError, httpx.DecodingError, httpx.StreamError):
                raise Unusable("the connection broke off") from None
            except httpx.InvalidURL:
                raise SettingsError(
                    f"{self.base} is not an address: correct url in [registry] of remit.toml."
                ) from None
            return Answer(url, kind, check(content) if check else content)
        raise RegistryRefused(
            f"{self.base}{path} redirects in a circle. Check url in [registry] of remit.toml."
        )

    def _keep_pace(self) -> None:
        pause = 1.0 / self.settings.requests_per_second
        if self._last_request is not None:
            since = (self.clock.now() - self._last_request).total_seconds()
            # A clock that was set back must not stop the pull for hours.
            if 0 <= since < pause:
                self.clock.sleep(pause - since)
            elif since < 0:
                self.clock.sleep(pause)
        self._last_request = self.clock.now()

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        deadline = DEADLINE_TIMEOUTS * self.settings.timeout_seconds
        started = self.clock.now()
        for chunk in response.iter_bytes():
            if (self.clock.now() - started).total_seconds() > deadline:
                raise Unusable(f"the answer was not complete after {deadline:g} s")
            yield chunk

    def _redirected(self, response: httpx.Response) -> httpx.URL:
        target = response.url.join(response.headers.get("Location", ""))
        here = response.url
        is_upgrade = (
            (here.scheme, target.scheme) == ("http", "https") and here.port is None and target.port is None
        )
        if target.host != here.host or (
            not is_upgrade and (target.scheme, target.port) != (here.scheme, here.port)
        ):
            raise RegistryRefused(
                f"{self.base} redirects to {target.scheme}://{target.host}: a login page or proxy stands between. "
                "Check the network, or url in [registry] of remit.toml."
            )
        return target

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == 200:
            return
        said = _said(response)
        if status == 429 or status == 408 or status >= 500:
            asked = self._retry_after(response)
            if asked is not None and asked > self.settings.max_wait_seconds:
                raise RegistryUnreachable(
                    f"{self.base} asks to wait {asked:.0f} s (status {status}), longer than max_wait_seconds "
                    f"({self.settings.max_wait_seconds:g}); nothing was replaced. Run again after that time."
                )
            raise Unusable(f"status {status}{said}", asked)
        if status == 403:
            raise RegistryRefused(
                f"{self.base} refuses this client (403{said}): its network turns away some HTTP clients by their TLS "
                f"handshake. Install the extra httpx-curl-cffi (uv pip install 'remit[curl]') and set "
                f'transport = "curl" in [registry] of remit.toml (now "{self.settings.transport}").'
            )
        remedy = {
            400: "Correct condition, intervention, term, ids or advanced in [registry] of remit.toml.",
            404: "Check the id, and url in [registry] of remit.toml.",
        }.get(status, "Check url in [registry] of remit.toml.")
        raise Refused(f"{self.base} said {status}{said}. {remedy}", status)

    def _retry_after(self, response: httpx.Response) -> float | None:
        given = response.headers.get("Retry-After", "").strip()
        if not given:
            return None
        try:
            return max(0.0, float(given))
        except ValueError:
            pass
        try:
            moment = parsedate_to_datetime(given)
        except (TypeError, ValueError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self.clock.now()).total_seconds())


def _said(response: httpx.Response) -> str:
    """The server's own words, where they are plain text: on one line, without control characters."""
    if not response.headers.get("Content-Type", "").startswith("text/plain"):
        return ""
    try:
        response.read()
        text = response.text
    except (httpx.HTTPError, httpx.StreamError):
        return ""
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return f": {words[:_TEXT_SHOWN]}".rstrip(" .") if words else ""


def transport_of(settings: RegistrySettings) -> httpx.BaseTransport | None:
    """The transport that the settings name; None is httpx's own.

    Raises:
        SettingsError: an unknown name, or the extra that it needs is not installed.
    """
    if settings.transport == "httpx":
        return None
    if settings.transport == "curl":
        try:
            from httpx_curl_cffi import CurlTransport
        except ImportError:
            raise SettingsError(
                'setting registry.transport is "curl", but the extra httpx-curl-cffi is not installed: '
                "run uv pip install 'remit[curl]', or set transport = \"httpx\"."
            ) from None
        return CurlTransport(impersonate="chrome", default_headers=True)
    raise SettingsError(
        f'setting registry.transport is {settings.transport!r}: write "httpx" or "curl" in remit.toml.'
    )
