"""What of a text cell is published: known words in the list's spelling, nothing of any other."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from pipeline.cohort import queries, schemas, texts
from tests.support.cohorts import PATIENTS, SOUND, Clinic, adds_up, table_csv

SEEDS = Path(texts._SEEDS)


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    return Clinic(tmp_path)


def shown(column: str, text: str) -> str | None:
    return texts._shown(column, pl.DataFrame({column: [text]}), {})[0]


@pytest.mark.parametrize(
    ("column", "text", "published"),
    [
        ("term", "HEADACHE", "Headache"),
        ("term", "oedema,  peripheral", "Oedema peripheral"),
        ("term", "Edema peripheral", "Oedema peripheral"),
        ("term", "increased ALT", "Alanine aminotransferase increased"),
        ("term", "Kopfschmerzen", "Headache"),
        ("term", "acute sinusitis", "Sinusitis, acute"),
        ("term", "headache after a row with R. Poison", None),
        ("term", "headache 0171 5551234", None),
        ("test", "Lymphozyten", "lymphocytes"),
        ("test", "lymphocytes %", "lymphocytes percent"),
        ("test", "CD4+ T cells", "cd4_t_cells"),
        ("test", "GPT (ALAT)", "alt"),
        ("test", "anti-drug antibodies", "anti_drug_antibodies"),
        ("test", "lymphocytes of Poison", None),
        ("scale", "SDMT Total correct", "total_correct"),
        ("scale", "RNFL left", "rnfl_thickness_left"),
        ("scale", "Poison left", None),
        ("item", "Q12", "Q12"),
        ("item", "physical 3", "physical_3"),
        ("item", "03.04.1980", None),
        ("unit", "×10^9/L", "×10^9/L"),
        ("unit", "ml/min/1.73m²", "ml/min/1.73m²"),
        ("unit", "5551234", None),
        ("unit", "mg Poison", None),
        ("dose_unit", "mcg s.c. 3x per week", "mcg s.c. 3x per week"),
    ],
)  # fmt: skip
def test_known_words_alone_are_published(column, text, published):
    assert shown(column, text) == published


@pytest.mark.parametrize(
    ("text", "inn", "published"),
    [
        ("avonex30 µg i.m. 1x/week", "interferon beta-1a", "Avonex"),
        ("IFN beta-1a 30 mcg", "interferon beta-1a", "interferon beta-1a"),
        ("Poison's brew", None, None),
    ],
)
def test_a_drug_is_published_as_its_brand_or_inn(text, inn, published):
    assert texts._drugs(
        pl.DataFrame({"drug": [text], "drug_inn": [inn]}, schema_overrides={"drug_inn": pl.String})
    ) == [published]


@pytest.mark.parametrize(
    ("file", "name", "column"),
    [
        ("outcomes/lymphocyte_populations", "test", "test"),
        ("outcomes/antidrug_antibody_tests", "test", "test"),
        ("trials/laboratory_limits", "test", "test"),
        ("trials/laboratory_units", "test", "test"),
        ("trials/laboratory_units", "unit", "unit"),
        ("outcomes/cell_count_units", "unit", "unit"),
        ("outcomes/assessment_scales", "scale", "scale"),
    ],
)
def test_what_outcomes_look_for_is_published_as_they_look_for_it(file, name, column):
    with (SEEDS / f"{file}.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            assert shown(column, row[name]) == row[name]
            # The micro sign and the Greek letter look alike.
            assert shown(column, row[name].replace("\u00b5", "\u03bc")) == row[name]


def test_poison_in_every_text_column_stays_private_and_its_rows_are_kept(clinic):
    """One file a text column, sound but for that text; and the same with a text of the list."""
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    for table, column in texts.columns():
        rows = [SOUND[table] | {"patient_id": patient, column: text}
                for patient, text in (("P1", "Zq9 Poison"), ("P2", "zq9  poison"), ("P3", "Zq9Poison & Co"))]  # fmt: skip
        clinic.put("site", f"{table}-{column}.csv", table_csv(rows))
    report = clinic.run()
    assert adds_up(report)
    assert not report.all_problems
    for table, column in texts.columns():
        frame = clinic.table(table)
        assert "poison" not in frame.write_csv().casefold()
        own = frame.filter(pl.col("source_file").is_in(_deliveries(clinic, f"{table}-{column}.csv")))
        assert own.height == 3
        # The same words are one text, whatever their case and blanks.
        assert own[column].n_unique() == (1 if column == "relapse_id" else 2)
        rule = "unknown_drug" if column == "drug" else "text_withheld"
        if column != "relapse_id":
            assert own["warnings"].str.contains(rule).all()
            assert own[column].str.contains(r"^(withheld|unmapped drug) [a-z2-7]{8}$").all()
    listed = openpyxl.load_workbook(clinic.private / "withheld" / "site.xlsx").active
    rows = {tuple(cell.value for cell in row[:2]) for row in listed.iter_rows(min_row=2)}
    assert rows == {(t, c) for t, c in texts.columns() if c != "relapse_id"}
    page = (clinic.private / "queries" / "site").glob("*.html")
    assert any("Zq9 Poison" in file.read_text() for file in page)


def _deliveries(clinic: Clinic, name: str) -> list[str]:
    register = pl.read_csv(clinic.private / "deliveries.csv")
    return register.filter(pl.col("file_name") == name)["delivery_id"].to_list()


def test_a_word_is_listed_once_with_the_number_of_its_cells(clinic):
    rows = [
        SOUND["adverse_events"]
        | {"patient_id": "P1", "term": "odd thing", "onset_date": f"2014-01-{n + 1:02}"}
        for n in range(9)
    ]
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    file = clinic.put("site", "adverse_events.csv", table_csv(rows))
    lines = "\n".join(queries.check_file(file).lines())
    assert "term: 9 × text_withheld" in lines
    assert "and 8 more: odd thing" in lines


def test_codes_are_the_same_in_the_next_delivery_and_others_in_another_cohort(clinic):
    event = SOUND["adverse_events"]
    for site in ("site", "other"):
        clinic.put(site, "patients.csv", table_csv(PATIENTS))
        clinic.put(site, "adverse_events.csv", table_csv([event | {"patient_id": "P1", "term": "odd thing"}]))
    clinic.run()
    first = clinic.table("adverse_events")["term"].item()
    assert clinic.table("adverse_events", "other")["term"].item() != first
    more = [
        event | {"patient_id": "P2", "term": "another"},
        event | {"patient_id": "P1", "term": "odd thing"},
    ]
    clinic.put("site", "adverse_events.csv", table_csv(more))
    report = clinic.run()
    assert first in clinic.table("adverse_events")["term"].to_list()
    changes = {
        change.table: change
        for result in report.cohorts
        if result.cohort == "site"
        for change in result.changes
    }
    assert (changes["adverse_events"].added, changes["adverse_events"].removed) == (1, 0)


def test_what_cohort_yaml_says_is_published(clinic):
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    terms = ("optic disc  PALLOR", "17", "odd thing")
    rows = [
        SOUND["adverse_events"] | {"patient_id": "P1", "term": t, "onset_date": f"201{n}-01-01"}
        for n, t in enumerate(terms)
    ]
    clinic.put("site", "adverse_events.csv", table_csv(rows))
    rows = [SOUND["laboratory"] | {"patient_id": "P1", "test": "house special 1"}]
    clinic.put("site", "laboratory.csv", table_csv(rows))
    clinic.put(
        "site", "cohort.yaml",
        "allowed_texts: {adverse_events.term: [Optic disc pallor]}\n"
        "codes: {term: {17: Seventeenth disease}}\n"
        "texts: {laboratory.test: as_delivered}\n",
    )  # fmt: skip
    assert not clinic.run().all_problems
    terms = clinic.table("adverse_events").sort("source_row")["term"].to_list()
    assert terms[:2] == ["Optic disc pallor", "Seventeenth disease"]
    assert terms[2].startswith("withheld ")
    assert clinic.table("laboratory")["test"].to_list() == ["house special 1"]


def test_no_row_is_accepted_or_rejected_by_how_its_text_is_published(clinic):
    # Two strengths of a brand are published alike and are two treatments all the same.
    rows = [SOUND["treatments"] | {"patient_id": "P1", "drug": drug} for drug in ("Avonex 15", "Avonex 30")]
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.put("site", "treatments.csv", table_csv(rows))
    clinic.run()
    assert clinic.table("treatments")["drug"].to_list() == ["Avonex", "Avonex"]
    assert not clinic.rules()


def test_a_relapse_s_number_is_its_rank_within_the_patient(clinic):
    ids = [("P1", "P1-R2", "2014-01-02"), ("P1", "P1-R1", "2013-01-02"), ("P2", "77", "2013-01-02"), ("P2", None, "2014-05-02")]  # fmt: skip
    rows = [{"patient_id": p, "onset_date": d, "relapse_id": r} for p, r, d in ids]
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.put("site", "relapses.csv", table_csv(rows))
    clinic.run()
    assert clinic.table("relapses").sort("source_row")["relapse_id"].to_list() == ["R2", "R1", "R1", None]


def test_every_text_column_has_a_reader():
    assert {column for _, column in texts.columns()} == {*texts._READERS, "drug", "relapse_id"}
    for table, column in texts.columns():
        assert next(f for f in schemas.TABLES[table] if f.name == column).published
