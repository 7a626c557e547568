"""The four real files beside the project, with maps drafted by `remit map` and corrected, and without any."""

from __future__ import annotations

import shutil

import polars as pl
import pytest

from pipeline.cohort import drafting, mapping, queries
from tests.support.cohorts import Clinic, adds_up

FILES = {
    "mexico_cis": ("mexico_cis_conversion.xlsx",),
    "msprog_toy": ("msprog_toydata.xlsx",),
    "open_ms": ("open_ms_cross_sectional.csv", "open_ms_longitudinal.csv"),
}


@pytest.fixture(scope="module")
def loaded(shared, project, tmp_path_factory) -> Clinic:
    clinic = Clinic(tmp_path_factory.mktemp("real"))
    for cohort, files in FILES.items():
        for name in files:
            clinic.put(cohort, name, (shared / "cohorts" / "inbox" / cohort / name).read_bytes())
        clinic.put(cohort, "cohort.yaml", (project / "tests/data/cohort_maps" / f"{cohort}.yaml").read_text())
    ledger = project / "tests" / "data" / "cohort_maps" / "mexico_cis_corrections.csv"
    clinic.put("mexico_cis", "corrections.csv", ledger.read_text())
    clinic.run()
    return clinic


def test_every_sheet_adds_up_without_a_problem(loaded):
    assert not loaded.report.all_problems
    assert [r.status for r in loaded.report.cohorts] == ["loaded"] * 3
    assert adds_up(loaded.report)


def test_the_mexican_workbook(loaded):
    delivery = loaded.table("deliveries", "mexico_cis").row(0, named=True)
    assert (delivery["rows_in"], delivery["rows_accepted"], delivery["rows_not_data"]) == (288, 273, 15)
    patients = loaded.table("patients", "mexico_cis")
    assert patients.height == 273
    assert dict(patients.group_by("sex").len().iter_rows()) == {"male": 105, "female": 168}
    # Row 131 says 217, which is row 221's patient: the ledger corrects it, and its row says so.
    corrected = patients.filter(pl.col("warnings").str.contains("corrected"))
    assert corrected["source_row"].to_list() == [131]
    edss = loaded.table("edss", "mexico_cis")
    assert edss["patient_id"].n_unique() == 125
    assert edss["visit_date_earliest"].null_count() == edss.height
    columns = loaded.table("delivered_columns", "mexico_cis").filter(pl.col("column_name") == "edss")
    assert columns["column_letter"].to_list() == ["R,S"]


def test_the_open_data(loaded):
    patients = loaded.table("patients", "open_ms")
    assert dict(patients.group_by("source_sheet").len().iter_rows()) == {
        "cross sectional": 30,
        "longitudinal": 20,
    }
    edss = loaded.table("edss", "open_ms")
    # 'N/A' is no EDSS; 0.5 is none of the scale, kept and flagged.
    assert edss.height == 27
    assert edss.filter(pl.col("edss") == 0.5)["warnings"].str.contains("edss_half").to_list() == [True]
    assert patients["course"].null_count() > 0


def test_the_toy_workbook(loaded):
    assert loaded.table("edss", "msprog_toy").height == 57
    assert loaded.table("assessments", "msprog_toy").height == 57
    relapses = loaded.table("relapses", "msprog_toy")
    assert sorted(relapses["onset_date_earliest"].cast(pl.String)) == [
        "2021-06-12",
        "2021-09-11",
        "2022-10-25",
        "2022-12-01",
        "2022-12-18",
    ]
    patients = loaded.table("patients", "msprog_toy")
    assert patients.height == 7
    assert set(patients["warnings"]) == {"patient_derived"}


@pytest.mark.parametrize(
    ("cohort", "name", "unknown"),
    [
        ("mexico_cis", "mexico_cis_conversion.xlsx", ["Gender", "final EDSS"]),
        ("msprog_toy", "msprog_toydata.xlsx", ["visit_day", "SDMT"]),
        ("open_ms", "open_ms_cross_sectional.csv", ["age", "criteria"]),
        ("open_ms", "open_ms_longitudinal.csv", ["days_between_studies"]),
    ],
)
def test_without_a_map_check_names_what_it_does_not_know(shared, tmp_path, cohort, name, unknown):
    file = tmp_path / name
    shutil.copyfile(shared / "cohorts" / "inbox" / cohort / name, file)
    report = queries.check_file(file)
    assert not report.is_clean
    text = "\n".join(report.lines())
    for header in unknown:
        assert header in text
    assert "cohort.yaml" in text


def test_without_a_map_nothing_is_lost_and_no_header_is_shown(shared, tmp_path):
    clinic = Clinic(tmp_path)
    for cohort, files in FILES.items():
        for name in files:
            clinic.put(cohort, name, (shared / "cohorts" / "inbox" / cohort / name).read_bytes())
    report = clinic.run()
    assert not report.loaded_anything
    assert adds_up(report)
    rows = {r.cohort: int(r.deliveries["rows_rejected"].sum()) for r in report.cohorts}
    assert rows == {"mexico_cis": 288, "msprog_toy": 62, "open_ms": 50}
    text = "\n".join(report.lines())
    assert text.count("remit map") + text.count("remit check") >= 4
    for header in ("Gender", "visit_day", "SDMT", "criteria", "Hoja1", "days_between"):
        assert header not in text


@pytest.mark.parametrize(("cohort", "names"), list(FILES.items()))
def test_a_draft_runs_as_it_is(shared, tmp_path, cohort, names):
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copyfile(shared / "cohorts" / "inbox" / cohort / name, folder / name)
        draft = drafting.draft_map(folder / name)
        mapping.parse(draft.text)
        (folder / "cohort.yaml").write_text(draft.text)
        report = queries.check_file(folder / name)
        assert all(sheet.status in ("mapped", "legend") for sheet in report.sheets)
        assert sum(sheet.rows_accepted for sheet in report.sheets) >= 20


def test_the_draft_finds_what_a_person_would(shared, tmp_path):
    file = tmp_path / "mexico.xlsx"
    shutil.copyfile(shared / "cohorts" / "inbox" / "mexico_cis" / "mexico_cis_conversion.xlsx", file)
    draft = drafting.draft_map(file)
    sheet = mapping.parse(draft.text).sheets[0]
    assert sheet.header_row == 4
    assert sheet.not_data.from_row == 278
    assert sheet.tables[0].columns["sex"].codes == {"1": "male", "2": "female"}
    assert [group["edss"].header for group in sheet.tables[1].repeat] == ["initial EDSS", "final EDSS"]
    assert all(0 <= match.confidence <= 100 for match in draft.matches)
    assert any("visit_date" in doubt for doubt in draft.doubts)


def test_a_draft_of_a_folder_asks_whether_equal_numbers_are_the_same_people(shared):
    draft = drafting.draft_map(shared / "cohorts" / "inbox" / "open_ms")
    assert [doubt for doubt in draft.doubts if "same numbers" in doubt and "prefix" in doubt]
    draft = drafting.draft_map(shared / "cohorts" / "inbox" / "msprog_toy")
    assert not any("same numbers" in doubt for doubt in draft.doubts)
    assert mapping.parse(draft.text).sheets[0].tables[1].columns["scale"].constant == "total_correct"
