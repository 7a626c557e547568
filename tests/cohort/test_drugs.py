"""Drug names: what is recognised, what is only nearly recognised, what must never be."""

from __future__ import annotations

import csv

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import drugs


def inn(name: str) -> str | None:
    return drugs.match(pl.Series([name]))["inn"].item()


def kind(name: str) -> str:
    return drugs.match(pl.Series([name]))["match"].item()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lemtrada", "alemtuzumab"),
        ("CAMPATH-1H", "alemtuzumab"),
        ("alem", "alemtuzumab"),
        ("rebif 44 µg", "interferon beta-1a"),
        ("Rebif44", "interferon beta-1a"),
        ("Avonex 30µg i.m. 1x/Woche", "interferon beta-1a"),
        ("IFNβ-1a", "interferon beta-1a"),
        ("Interferon-ß 1b", "interferon beta-1b"),
        ("Betaferon® 250µg", "interferon beta-1b"),
        ("Plegridy (peginterferon beta-1a)", "peginterferon beta-1a"),
        ("Rebif (interferon beta)", "interferon beta-1a"),
        ("mabhtera", "rituximab"),
        ("OCRELIZUMAB", "ocrelizumab"),
        ("Copaxone 40mg/ml s.c. 3x/week", "glatiramer acetate"),
        ("octan glatirameru", "glatiramer acetate"),
        ("Acétate de glatiramère", "glatiramer acetate"),
        ("Acetato de glatirámero", "glatiramer acetate"),
        ("Fumaran dimetylu", "dimethyl fumarate"),
        ("BG-12", "dimethyl fumarate"),
        ("Tecfidera 2x240mg", "dimethyl fumarate"),
        ("Tysabri 300 mg i.v. q4w EID", "natalizumab"),
        ("Gilenia", "fingolimod"),
        ("FTY-720", "fingolimod"),
        ("Zinbryta", "daclizumab"),
        ("Azatiopryna", "azathioprine"),
        ("Endoxan 1 g", "cyclophosphamide"),
        ("Micofenolato de mofetilo", "mycophenolate mofetil"),
        ("IVIG", "immunoglobulin"),
        ("Solu-Medrol 1 g", "methylprednisolone"),
        ("aHSCT", "autologous hematopoietic stem cell transplantation"),
        ("копаксон", "glatiramer acetate"),
        ("keine Therapie", "no treatment"),
    ],
)
def test_names_as_clinics_write_them(name: str, expected: str) -> None:
    assert inn(name) == expected
    assert kind(name) == "exact"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lemtradda", "alemtuzumab"),
        ("natalizumabb", "natalizumab"),
        ("glatiramer acetete", "glatiramer acetate"),
        ("cyclophosphamiid 500 mg", "cyclophosphamide"),
    ],
)
def test_a_slip_is_recognised_and_says_so(name: str, expected: str) -> None:
    answer = drugs.match(pl.Series([name]))
    assert answer["inn"].item() == expected
    assert answer["match"].item() == "fuzzy"
    assert 80 < answer["score"].item() < 100


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "?",
        "12",
        "12 mg",
        "reb",
        "rebaf",  # short names are never guessed
        "prednisolne",  # prednisolone or prednisone
        "interferon beta 1c",
        "interferon beta-2a",
        "interferon delta",
        "cetuximob",
        "natalizumab or fingolimod",
        "Rebif/Copaxone",
        "no rebif",
        "anti-natalizumab antibodies",
        "allergy to Copaxone",
        "duvelisib",
        "ixekizumab",
        "tildrakizumab",
        "pembrolizumab",
        "nivolumab",
        "atezolizumab",
        "bimekizumab",
        "reslizumab",
        "eptinezumab",
        "galcanezumab",
        "cabozantinib",
        "clofarabine",
        "pemetrexed",
        "methocarbamol",
        "mitomycin",
        "methyltestosterone",
    ],
)
def test_what_is_not_known_stays_unknown(name: str) -> None:
    assert inn(name) is None
    assert kind(name) == "none"


# Real drugs that are not in the vocabulary, many of a family that is.
OTHERS = """
abemaciclib abrilumab alefacept alirocumab avelumab azacitidine azithromycin belatacept bezlotoxumab blinatumomab
brentuximab brodalumab burosumab canakinumab cemiplimab clofarabine crizanlizumab dacarbazine daclatasvir daratumumab
dasatinib daunorubicin dinutuximab dupilumab durvalumab efgartigimod elotuzumab emicizumab encorafenib epratuzumab
etrolizumab evolocumab gefitinib gemtuzumab gevokizumab guselkumab ibalizumab ibritumomab idarucizumab ifosfamide imatinib
inotuzumab ipilimumab isatuximab itolizumab ixekizumab lapatinib lebrikizumab levilimab margetuximab methazolamide
methenamine methocarbamol methyldopa metolazone mirikizumab mitomycin mogamulizumab necitumumab nelarabine nilotinib
nivolumab olaparib olaratumab olokizumab otilimab palivizumab panitumumab pembrolizumab pemetrexed pertuzumab
polatuzumab pravastatin prednicarbate primidone procarbazine ramucirumab raxibacumab reslizumab ribavirin risankizumab
romosozumab rosuvastatin rozanolixizumab sarilumab siltuximab sirukumab sorafenib temozolomide teprotumumab terbinafine
teriparatide tetracycline thioguanine tildrakizumab tolvaptan topotecan tositumomab tralokinumab vandetanib veltuzumab
vincristine
"""


def test_other_drugs_are_not_taken_for_ours() -> None:
    found = drugs.match(pl.Series(OTHERS.split()))
    assert found.filter(pl.col("match") != "none").is_empty()


def test_the_answer_has_one_row_a_distinct_name() -> None:
    names = pl.Series(["Rebif", "Rebif", None, "rebif", "x"])
    answer = drugs.match(names)
    assert answer.columns == ["name", "inn", "match", "score"]
    assert answer["name"].to_list() == ["Rebif", "rebif", "x"]
    assert drugs.match(pl.Series([], dtype=pl.String)).height == 0


def test_every_alias_is_normalised_and_found() -> None:
    aliases = drugs.aliases()
    assert aliases.select(drugs.normalise(pl.col("alias")) == pl.col("alias")).to_series().all()
    found = drugs.match(aliases["alias"]).join(aliases, left_on="name", right_on="alias")
    assert (found["inn"] == found["inn_right"]).all()
    assert (found["match"] == "exact").all()


def test_no_drug_is_taken_for_another() -> None:
    """No INN, its own names taken out of the vocabulary, is near enough to another drug's name."""
    for name in drugs.drugs()["inn"]:
        core = drugs.normalise_one(name)
        if not drugs._may_be_fuzzy(core):
            continue
        others = [alias for alias in drugs._targets() if drugs._lookup()[alias] != name]
        near = [t for t in others if drugs._acceptable(core, t, drugs.OSA.distance(core, t))]
        assert not near, (core, near)


def test_groups_of_drugs_have_terms_and_classes_are_consistent() -> None:
    with (drugs.SEEDS / "drug_groups.csv").open(encoding="utf-8") as file:
        named = {row["group_name"] for row in csv.DictReader(file)}
    listed = drugs.drugs().select(pl.col("groups").str.split(";").explode()).to_series().drop_nulls()
    assert set(listed) - {""} == named
    classes = dict(drugs.drugs().select("inn", "drug_class").iter_rows())
    assert [classes[n] for n in ("fingolimod", "natalizumab", "alemtuzumab")] == ["FTY", "NAT", "ALE"]
    in_group = pl.col("groups").fill_null("").str.split(";").list.contains("dmt")
    assert drugs.drugs().select((in_group == pl.col("is_dmt")).all()).item()
    assert drugs.drugs().filter(pl.col("is_approved_for_ms") & ~pl.col("is_dmt")).is_empty()


def test_protocol_terms_are_covered(shared) -> None:
    """Every therapy that the hand-read criteria name is a drug or a group."""
    with (drugs.SEEDS / "drug_groups.csv").open(encoding="utf-8") as file:
        known = {row["term"] for row in csv.DictReader(file)} | set(drugs.drugs()["inn"])
    terms = pl.read_csv(shared / "eligibility" / "terms.csv")
    kinds = ["washout", "steroid_use_forbidden", "relapse_on_therapy", "concomitant_therapy_forbidden"]
    therapies = terms.filter(pl.col("kind").is_in(kinds) | pl.col("kind").str.starts_with("prior_therapy"))
    assert set(therapies["term"]) - known == {"any new medication"}


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_one_answer(text: str) -> None:
    answer = drugs.match(pl.Series([text]))
    assert answer.height == 1
    assert (answer["match"].item() == "none") == (answer["inn"].item() is None)


@given(st.sampled_from(["Lemtrada", "Tysabri", "dimethyl fumarate", "ocrelizumab"]), st.data())
@settings(max_examples=100, deadline=None)
def test_case_space_and_dose_do_not_matter(name: str, data: st.DataObject) -> None:
    written = "".join(c.upper() if data.draw(st.booleans()) else c for c in name)
    written = data.draw(st.sampled_from(["", " ", "\u00a0"])) + written
    written += data.draw(st.sampled_from(["", " 12 mg", " 12mg i.v.", ", 3 x 12 mg", " (2nd course)"]))
    assert inn(written) == inn(name)
