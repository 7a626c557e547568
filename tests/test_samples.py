"""The shipped samples are what their generator makes, in the registry's own shape, in the shape of the slides."""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest
import python_calamine
import yaml
from openapi_schema_validator import OAS30Validator

from pipeline.cohort import schemas

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    sys.path.insert(0, str(EXAMPLES))
    try:
        import make_samples
    finally:
        sys.path.remove(str(EXAMPLES))
    folder = tmp_path_factory.mktemp("samples")
    make_samples.write_all(folder)
    return folder


def studies() -> list[dict]:
    found = []
    for path in sorted((EXAMPLES / "registry").iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            found += [json.loads(line) for line in text.splitlines()]
        elif path.suffix == ".json":
            document = json.loads(text)
            found += document.get("studies", [document])
    return found


def workbook(name: str) -> dict[str, list[dict]]:
    book = python_calamine.load_workbook(EXAMPLES / "inbox" / "sample" / name)
    sheets = {}
    for sheet in book.sheet_names:
        header, *rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        sheets[sheet] = [dict(zip(header, row, strict=True)) for row in rows]
    return sheets


def test_the_committed_files_are_what_the_generator_writes(made: Path):
    names = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    committed = sorted(
        path.relative_to(EXAMPLES)
        for folder in ("registry", "inbox")
        for path in (EXAMPLES / folder).rglob("*")
        if path.is_file()
    )
    assert names == committed
    for name in names:
        assert (made / name).read_bytes() == (EXAMPLES / name).read_bytes(), (
            f"{name}: run examples/make_samples.py"
        )


def test_every_trial_says_that_it_is_invented():
    trials = studies()
    ids = [trial["protocolSection"]["identificationModule"]["nctId"] for trial in trials]
    assert len(set(ids)) >= 12
    # The first study lies there in earlier versions too, each with a date of its own.
    dates = [trial["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"] for trial in trials]
    assert len(set(zip(ids, dates, strict=True))) == len(ids) == len(set(ids)) + 2
    for trial in trials:
        section = trial["protocolSection"]
        assert section["identificationModule"]["nctId"].startswith("NCT900000")
        assert section["identificationModule"]["officialTitle"].startswith("Invented Trial")
        assert section["sponsorCollaboratorsModule"]["leadSponsor"]["name"] == "Invented Sponsor"
    with_results = [trial for trial in trials if "resultsSection" in trial]
    assert len(with_results) >= 5
    assert all(trial["hasResults"] == ("resultsSection" in trial) for trial in trials)


def _closed(schema: object) -> object:
    """The schema with unknown properties forbidden, which the registry's document leaves open."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if closed.get("type") == "object" and isinstance(closed.get("properties"), dict):
        closed["additionalProperties"] = False
    return closed


def test_every_trial_has_the_shape_of_the_registry(shared: Path):
    document = yaml.safe_load((shared / "registry/openapi/ctg-oas-v2.0.3.yaml").read_text(encoding="utf-8"))
    schema = {"$ref": "#/components/schemas/Study", "components": _closed(document["components"])}
    validator = OAS30Validator(schema)
    for trial in studies():
        faults = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(trial)]
        assert not faults, faults[:3]
    broken = studies()[0]
    broken["protocolSection"]["eligibilityModule"]["minimumAge"] = "eighteen"
    assert list(validator.iter_errors(broken)), "the validator must be able to fail"


def test_posted_numbers_belong_to_posted_groups():
    for trial in studies():
        measures = trial.get("resultsSection", {}).get("outcomeMeasuresModule", {}).get("outcomeMeasures", [])
        for measure in measures:
            groups = {group["id"] for group in measure.get("groups", [])}
            for entry in measure.get("classes", []):
                for category in entry["categories"]:
                    assert {m["groupId"] for m in category["measurements"]} == groups


def test_the_workbook_is_canonical():
    sheets = workbook("sample_cohort.xlsx")
    assert list(sheets) == list(schemas.TABLES)
    for name, rows in sheets.items():
        assert list(rows[0]) == [field.name for field in schemas.TABLES[name]]
        for field in schemas.TABLES[name]:
            values = [row[field.name] for row in rows]
            if field.required:
                assert "" not in values, f"{name}.{field.name}"
            if field.codes:
                assert set(values) - {""} <= set(field.codes), f"{name}.{field.name}"


def test_the_cohort_resembles_the_slides():
    """Published: naive 49 ± 10 years, EDSS 5.0 ± 1.3, change −0.4 ± 1.4; experienced 48 ± 9, 5.5 ± 1.3, −1.0 ± 1.4."""
    sheets = workbook("sample_cohort.xlsx")
    first: dict[str, date] = {}
    for row in sheets["infusions"]:
        day = row["infusion_date"]
        first[row["patient_id"]] = min(first.get(row["patient_id"], day), day)
    assert len(sheets["patients"]) == len(first) == 60
    visits: dict[str, list[tuple[date, float]]] = {}
    for row in sheets["edss"]:
        visits.setdefault(row["patient_id"], []).append((row["visit_date"], row["edss"]))
    groups: dict[str, list[tuple[float, float, float]]] = {"naive": [], "experienced": []}
    for row in sheets["patients"]:
        index = first[row["patient_id"]]
        before = max(visit for visit in visits[row["patient_id"]] if visit[0] <= index)
        last = max(visits[row["patient_id"]])
        months = (last[0] - index).days / 28
        kind = "naive" if index >= row["enrolment_date"] else "experienced"
        groups[kind].append((before[1], last[1] - before[1], months))
    assert {kind: len(rows) for kind, rows in groups.items()} == {"naive": 30, "experienced": 30}
    for kind, (base, change, months) in {"naive": (5.0, -0.4, 10), "experienced": (5.5, -1.0, 82)}.items():
        bases, changes, follow_up = zip(*groups[kind], strict=True)
        assert statistics.mean(bases) == pytest.approx(base, abs=0.2)
        assert statistics.stdev(bases) == pytest.approx(1.3, abs=0.2)
        assert statistics.mean(changes) == pytest.approx(change, abs=0.2)
        assert statistics.stdev(changes) == pytest.approx(1.4, abs=0.25)
        assert statistics.median(follow_up) == pytest.approx(months, abs=3)


def test_the_second_delivery_has_faults_but_stays_below_the_stop_rule():
    sheets = workbook("sample_faults.xlsx")
    assert all(len(rows) < 20 for rows in sheets.values())
    values = [row["edss"] for row in sheets["edss"]]
    assert 2.3 in values
    known = {row["patient_id"] for row in sheets["patients"]}
    assert {row["patient_id"] for row in sheets["edss"]} - known - {""} == {"INV-099"}
    assert Counter(row["patient_id"] for row in sheets["patients"])["INV-064"] == 2
    assert any(
        isinstance(row["visit_date"], date | datetime) and row["visit_date"].year > 2060
        for row in sheets["edss"]
    )


def test_the_sample_holds_what_is_rare_in_tables():
    """Censored results, a profile without a terminal phase, and results by category: no promised column stays empty."""
    sheets = workbook("sample_cohort.xlsx")
    censored = [row for row in sheets["laboratory"] if row["comparator"]]
    assert {(row["test"], row["comparator"], row["value"]) for row in censored} == {("cd19", "<", 0.06)}
    assert 3 <= len(censored) < sum(row["test"] == "cd19" for row in sheets["laboratory"]) / 2
    last: dict[str, float] = {}
    for row in sheets["pk_samples"]:
        last[row["patient_id"]] = max(last.get(row["patient_id"], 0), row["time_h"])
    assert [patient for patient, hour in last.items() if hour <= 120] == ["INV-004"]
    titles = {
        category.get("title")
        for trial in studies()
        for measure in trial.get("resultsSection", {})
        .get("outcomeMeasuresModule", {})
        .get("outcomeMeasures", [])
        for entry in measure.get("classes", [])
        for category in entry["categories"]
    }
    assert {"Improved", "Stable", "Worsened"} <= titles
