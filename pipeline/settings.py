"""remit.toml and the environment → typed settings. Nothing else in Remit reads `os.environ`.

A variable that is set wins over the file. Secrets (`REMIT_PSEUDONYM_KEY`, `REMIT_ALERT_WEBHOOK`) stand in
the environment alone.
"""

from __future__ import annotations

import os
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pipeline.errors import SettingsError
from pipeline.home import Home

PROJECT = Path(__file__).resolve().parents[1]
LIVE = "live"
SAMPLE_REGISTRY = "examples/registry"
SAMPLE_COHORTS = "examples/inbox"

# Environment variable → place in the settings.
VARIABLES = {
    "REMIT_HOME": ("home",),
    "REMIT_REGISTRY": ("registry", "source"),
    "REMIT_REGISTRY_URL": ("registry", "url"),
    "REMIT_MIRROR_URL": ("registry", "mirror_url"),
    "REMIT_COHORTS": ("cohorts", "source"),
    "REMIT_PSEUDONYM_KEY": ("pseudonym_key",),
    "REMIT_ALERT_WEBHOOK": ("alert_webhook",),
}
SECRETS = ("pseudonym_key", "alert_webhook")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegistrySettings(_Section):
    """What is pulled from registries, and how politely."""

    source: str = SAMPLE_REGISTRY
    url: str = "https://clinicaltrials.gov/api/v2"
    mirror_url: str = ""
    condition: str = "multiple sclerosis"
    intervention: str = ""
    term: str = ""
    ids: tuple[str, ...] = ()
    advanced: str = ""
    transport: str = "httpx"
    page_size: int = Field(1000, ge=1, le=1000)
    requests_per_second: float = Field(1.0, gt=0, le=50)
    max_attempts: int = Field(6, ge=1, le=20)
    timeout_seconds: float = Field(60.0, gt=0)
    max_wait_seconds: float = Field(900.0, gt=0)
    max_restarts: int = Field(3, ge=0, le=20)
    resume_hours: float = Field(12.0, ge=0)
    shrink_threshold: float = Field(0.05, ge=0, le=1)
    reconcile_days: int = Field(7, ge=1)
    overlap_days: int = Field(2, ge=0)


class CohortSettings(_Section):
    """Where patients' spreadsheets come from and when a sheet stops its cohort.

    Without a `source` it is the home's own `inbox/`, and the invented sample while that is empty.
    """

    source: str = ""
    rejected_share_limit: float = Field(0.20, ge=0, le=1)
    rejected_share_from_rows: int = Field(20, ge=1)
    max_file_megabytes: float = Field(200, gt=0)


class ScheduleSettings(_Section):
    """When the nightly job runs."""

    nightly: str = "0 2 * * *"
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("not a time zone name like Europe/Berlin") from error
        return value


class ReleaseSettings(_Section):
    """How many releases are kept."""

    keep: int = Field(30, ge=2)


class Settings(_Section):
    """All settings of one run. Paths are resolved against the folder of remit.toml."""

    root: Path = PROJECT
    home: Path = Path("data")
    registry: RegistrySettings = RegistrySettings()
    cohorts: CohortSettings = CohortSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    releases: ReleaseSettings = ReleaseSettings()
    pseudonym_key: SecretStr | None = None
    alert_webhook: SecretStr | None = None

    @cached_property
    def layout(self) -> Home:
        """The folders below REMIT_HOME."""
        return Home(self.resolve(self.home))

    def resolve(self, path: str | Path) -> Path:
        """A path of the settings as an absolute one."""
        return (self.root / Path(path).expanduser()).resolve()

    @property
    def registry_path(self) -> Path | None:
        """The folder or file of recorded studies; None when the source is the live registry."""
        return None if self.registry.source == LIVE else self.resolve(self.registry.source)

    @property
    def cohorts_path(self) -> Path:
        """The folder with one folder for each cohort."""
        if self.cohorts.source:
            return self.resolve(self.cohorts.source)
        inbox = self.layout.inbox
        is_used = inbox.is_dir() and any(
            folder.is_dir() and any(folder.iterdir()) for folder in inbox.iterdir()
        )
        return inbox if is_used else self.resolve(SAMPLE_COHORTS)

    @property
    def is_sample_cohort(self) -> bool:
        """Whether the cohorts are the invented ones that ship with Remit."""
        return self.cohorts_path == self.resolve(SAMPLE_COHORTS)

    def public(self) -> dict[str, Any]:
        """What goes into `settings_hash` and the manifest: no secret, no path of this machine."""
        return self.model_dump(mode="json", exclude={"root", "home", *SECRETS})


def load(root: Path | None = None, **overrides: Any) -> Settings:
    """Settings from `root/remit.toml`, the environment, and keyword overrides such as `registry__source`.

    Raises:
        SettingsError: the file cannot be parsed, names an unknown setting, or holds an impossible value;
            the message says which and what is allowed.
    """
    root = root or PROJECT
    file = root / "remit.toml"
    values: dict[str, Any] = {}
    if file.exists():
        try:
            values = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"remit.toml cannot be read: {error}. Correct that line.") from error
    for secret in SECRETS:
        if secret in values:
            raise SettingsError(
                f"remit.toml holds the secret {secret!r}: remove it there and set REMIT_{secret.upper()}."
            )
    # A path given in the shell or on the command line is meant from where the person stands;
    # one in remit.toml from the folder of that file.
    here = Path.cwd()
    for variable, place in VARIABLES.items():
        if given := os.environ.get(variable):
            _put(values, place, _from_here(here, place, given))
    for name, value in overrides.items():
        if value is not None:
            place = tuple(name.split("__"))
            _put(values, place, _from_here(here, place, value))
    try:
        return Settings(root=root, **values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"setting {place!r}: {first['msg']}. Correct it in remit.toml or the environment."
        ) from None


def _from_here(here: Path, place: tuple[str, ...], value: Any) -> Any:
    is_path = place == ("home",) or (place[-1] == "source" and value not in (LIVE, ""))
    return str((here / Path(value).expanduser()).resolve()) if is_path else value


def _put(values: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    for part in place[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise SettingsError(
                f"remit.toml: [{part}] must be a section. Write it as [{part}] with settings below."
            )
    values[place[-1]] = value
