"""Erasing a withdrawn patient from the releases that are kept: each is written anew without their rows.

Rows of single patients go; sums and means of groups in an old release stay as they were published, and the
manifest says how many patients were withdrawn since.
"""

from __future__ import annotations

import os
import shutil

from pipeline.home import Home
from pipeline.release import catalog
from pipeline.release.publish import copy_marts, describe, seal, write_manifest


def erase(home: Home, cohort: str, patient_id: str) -> int:
    """Write every kept release anew without the rows of `cohort` + `patient_id`; gives how many had any."""
    cleaned = 0
    for release in catalog.releases(home):
        partial = home.releases / f".partial-withdraw-{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o750)
        tables = copy_marts(
            release.folder / catalog.MARTS, partial / catalog.MARTS, without=(cohort, patient_id)
        )
        now = {table.full_name: {"rows": table.rows, "content_hash": table.content} for table in tables}
        manifest = dict(release.manifest)
        if all(
            manifest["tables"].get(name, {}).get("rows") in (None, table["rows"])
            for name, table in now.items()
        ):
            shutil.rmtree(partial)
            continue
        manifest["tables"] = {name: now[name] for name in manifest["tables"]}
        manifest["patients_withdrawn_since"] = manifest.get("patients_withdrawn_since", 0) + 1
        describe(partial)
        shutil.copyfile(release.folder / "changes.json", partial / "changes.json")
        write_manifest(partial, manifest)
        seal(partial)
        # The old folder leaves at once: a reader that has it open keeps it until it closes.
        old = home.releases / f".partial-old-{os.getpid()}"
        release.folder.rename(old)
        partial.rename(release.folder)
        shutil.rmtree(old)
        cleaned += 1
    return cleaned
