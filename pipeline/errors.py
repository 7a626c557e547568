"""The exceptions that a user of Remit can meet. Every message ends in the remedy and holds no patient value.

RemitError
├── SettingsError          remit.toml or the environment says something impossible
├── HomeError              REMIT_HOME cannot be used: rights, a full disk, a lost key
│   └── HomeBusy           another run holds the lock of this home
├── SourceError            a source stops alone; what was loaded before stays
│   ├── RegistryError      the registry or a recorded folder
│   │   ├── RegistryRefused    403, 400, 404: retrying does not help
│   │   ├── RegistryUnreachable  no connection, or 429 and 5xx to the end of all attempts
│   │   ├── IncompletePull     what arrived is not what the registry says it has
│   │   └── BrokenDocument     a file or page that is not a study document
│   └── CohortError        one cohort or one file of it
│       ├── BrokenWorkbook     cannot be read: not a workbook, encrypted, too large
│       ├── ColumnDrift        headers that the map does not know, or that vanished
│       ├── MappingError       cohort.yaml is wrong
│       └── TooManyRejected    a sheet over its threshold
├── BuildError             dbt or the statistics step failed
├── CheckFailed            a blocking check: nothing was published
└── ReleaseError           the release could not be written, verified or found
"""

from __future__ import annotations


class RemitError(Exception):
    """Root of all that Remit raises on purpose. `str(error)` is one line that a person can act on."""


class SettingsError(RemitError):
    """A setting is wrong."""


class HomeError(RemitError):
    """REMIT_HOME cannot be used as it is."""


class HomeBusy(HomeError):
    """Another run holds this home's lock."""


class SourceError(RemitError):
    """One source stops; the others go on."""


class RegistryError(SourceError):
    """The registry side."""


class RegistryRefused(RegistryError):
    """The registry answered, and said no."""


class RegistryUnreachable(RegistryError):
    """The registry did not answer usefully within all attempts."""


class IncompletePull(RegistryError):
    """Fewer studies arrived than the registry reports."""


class BrokenDocument(RegistryError):
    """A file or page that does not hold study documents."""


class CohortError(SourceError):
    """The cohort side. The message names cohort, delivery and canonical columns, never a value or a file name."""


class BrokenWorkbook(CohortError):
    """A file that cannot be read as a spreadsheet."""


class ColumnDrift(CohortError):
    """Headers and map disagree."""


class MappingError(CohortError):
    """cohort.yaml is wrong."""


class TooManyRejected(CohortError):
    """More rows of a sheet were rejected than its threshold allows."""


class BuildError(RemitError):
    """dbt or the statistics step failed."""


class CheckFailed(RemitError):
    """A blocking check failed; nothing was published."""


class ReleaseError(RemitError):
    """A release could not be written, verified or found."""
