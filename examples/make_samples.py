"""Writes the sample inputs that ship with Remit: invented trials and an invented cohort.

    python examples/make_samples.py [FOLDER]

Nothing in them is real. The same seed gives the same bytes, so that a diff of the files shows a change of mind
and not the clock. What the trials and patients are stands in `invented_trials.py` and `invented_cohort.py`.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import xlsxwriter

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import invented_cohort  # noqa: E402
import invented_trials  # noqa: E402

CREATED = datetime.datetime(2026, 11, 1, 12, 0, 0)
COLUMNS = {
    "patients": "patient_id sex birth_date onset_date diagnosis_date course progression_onset_date enrolment_date "
    "history_from last_contact_date death_date regular_corticosteroids is_nmo",
    "edss": "patient_id visit_date edss in_relapse is_valid_confirmation msss_recorded fs_visual fs_brainstem "
    "fs_pyramidal fs_cerebellar fs_sensory fs_bowel_bladder fs_cerebral ambulation",
    "relapses": "patient_id onset_date relapse_id end_date severity recovery steroids is_pseudo_relapse",
    "treatments": "patient_id drug start_date end_date stop_reason dose dose_unit",
    "infusions": "patient_id drug infusion_date dose_mg reason",
    "mri_scans": "patient_id scan_date region new_or_enlarging_t2 gd_lesions t2_lesions",
    "assessments": "patient_id assessed_on instrument scale value item respondent",
    "adverse_events": "patient_id term onset_date end_date is_serious grade is_related",
    "laboratory": "patient_id sampled_on test value comparator unit",
    "medical_history": "patient_id category status onset_date end_date",
    "pk_samples": "patient_id first_dose_at time_h concentration unit is_below_quantification lower_limit",
}  # fmt: skip


def write_registry(folder: Path) -> None:
    """Studies in the shapes in which they come: single files, an API page, lines, a mirror page."""
    folder.mkdir(parents=True, exist_ok=True)
    trials = {
        trial["protocolSection"]["identificationModule"]["nctId"]: trial
        for trial in invented_trials.all_trials()
    }
    ids = sorted(trials)
    for nct_id in ids[:6]:
        _write(folder / f"{nct_id}.json", json.dumps(trials[nct_id], indent=1, ensure_ascii=False) + "\n")
    page = {"totalCount": 4, "studies": [trials[nct_id] for nct_id in ids[6:10]]}
    _write(folder / "api_page.json", json.dumps(page, indent=1, ensure_ascii=False) + "\n")
    lines = [json.dumps(trials[nct_id], ensure_ascii=False, separators=(",", ":")) for nct_id in ids[10:]]
    _write(folder / "more_studies.jsonl", "\n".join(lines) + "\n")
    for trial in invented_trials.earlier_versions():
        nct_id = trial["protocolSection"]["identificationModule"]["nctId"]
        posted_on = trial["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"]
        text = json.dumps(trial, indent=1, ensure_ascii=False) + "\n"
        _write(folder / f"{nct_id}_as_of_{posted_on}.json", text)
    _write(folder / f"mirror_{invented_trials.MIRROR_ID}.md", invented_trials.MIRROR_PAGE)


def write_workbook(path: Path, sheets: dict[str, list[invented_cohort.Row]], title: str) -> None:
    """One canonical workbook: dates as real dates, partial dates as text, nothing as formula or link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties(
            {
                "title": title,
                "subject": "Invented: no person in this workbook exists",
                "comments": "Made by examples/make_samples.py from a fixed seed.",
                "author": "Remit examples",
                "created": CREATED,
            }
        )
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        bold = book.add_format({"bold": True})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            columns = COLUMNS[name].split()
            sheet.write_row(0, 0, columns, bold)
            sheet.set_column(0, len(columns) - 1, 14)
            sheet.freeze_panes(1, 1)
            for number, row in enumerate(rows, start=1):
                for position, column in enumerate(columns):
                    value = row.get(column)
                    if isinstance(value, datetime.datetime):
                        sheet.write_datetime(number, position, value, moment)
                    elif isinstance(value, datetime.date):
                        sheet.write_datetime(
                            number, position, datetime.datetime.combine(value, datetime.time()), day
                        )
                    elif value is not None:
                        sheet.write(number, position, value)


def write_all(folder: Path) -> None:
    """All sample inputs below `folder`."""
    write_registry(folder / "registry")
    inbox = folder / "inbox" / "sample"
    write_workbook(inbox / "sample_cohort.xlsx", invented_cohort.cohort(), "Invented cohort")
    write_workbook(
        inbox / "sample_faults.xlsx",
        invented_cohort.second_delivery(),
        "Invented cohort, second delivery with faults",
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
