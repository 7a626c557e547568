"""`remit map FILE`: a first cohort.yaml from headers and the shape of their values, for a person to correct.

Headers are compared with the canonical names and with what clinics call them in several languages; a match
also has to fit what stands below it. Nothing is loaded here, and what is doubtful is marked, not decided.
The draft names headers and codes of the file: it is for the person who asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from rapidfuzz import fuzz

from pipeline.cohort import load, mapping, workbook
from pipeline.cohort.schemas import TABLES
from pipeline.errors import BrokenWorkbook

SURE, LIKELY = 90, 72  # per cent: taken without a mark; taken with the mark `check`
SAMPLE_ROWS = 2_000

# What clinics call the fields: English, German, French, Spanish, Italian, Polish, Portuguese.
SYNONYMS: dict[tuple[str, str], str] = {
    ("*", "patient_id"): "patient|patient id|patientid|patid|pat id|pat|pt id|participant|participant id|patient no|patient nr|subject no|subject|subject id|id|nr|no|number|pid|patnr|eid|code|record id|"
    "patienten id|patientennummer|pat nr|fallnummer|numero patient|identifiant|paciente|id paciente|numero de paciente|"
    "paziente|codice paziente|pacjent|numer pacjenta|id do paciente|secret name|study id|usubjid",
    ("patients", "sex"): "sex|gender|geschlecht|sexe|sexo|genere|sesso|plec|m f|female|male|genero",
    ("patients", "birth_date"): "birth date|date of birth|dob|d o b|birthday|geburtsdatum|geb dat|geboren|date de naissance|"
    "ddn|fecha de nacimiento|fecha nacimiento|f nacimiento|geb datum|data di nascita|data urodzenia|data de nascimento|birth year|year of birth|geburtsjahr|"
    "annee de naissance|rok urodzenia",
    ("patients", "onset_date"): "onset|onset date|ms onset|disease onset|date of onset|first symptom|date first symptom|"
    "symptoms date|year of onset|year onset|erstmanifestation|krankheitsbeginn|erstsymptom|erstsymptome|ms beginn|date de debut|debut sep|"
    "fecha de inicio|inicio de sintomas|esordio|data esordio|poczatek choroby|data de inicio",
    ("patients", "diagnosis_date"): "diagnosis|diagnosis date|date of diagnosis|dx date|ms diagnosis date|diagnosedatum|"
    "erstdiagnose|date de diagnostic|fecha de diagnostico|data di diagnosi|data diagnozy|data do diagnostico",
    ("patients", "course"): "course|disease course|ms course|ms type|mstype|type of ms|phenotype|ms form|form|verlaufsform|"
    "verlauf|forme clinique|forme|forma clinica|curso|tipo de em|decorso|postac|przebieg|forma",
    ("patients", "progression_onset_date"): "progression onset|start of progression|progression date|spms onset|"
    "date of progression|sp conversion|beginn der progredienz|debut de la progression|inicio de progresion",
    ("patients", "enrolment_date"): "enrolment|enrollment|enrolment date|enrollment date|inclusion date|study entry|"
    "einschluss|einschlussdatum|date d inclusion|fecha de inclusion|data di arruolamento|data wlaczenia",
    ("patients", "history_from"): "history from|records from|documented since|dokumentiert seit",
    ("patients", "last_contact_date"): "last contact|last visit|last follow up|last seen|date last visit|letzter kontakt|"
    "letzte visite|derniere visite|ultima visita|ultimo contacto|ostatnia wizyta",
    ("patients", "death_date"): "death date|date of death|deceased|decease date|todesdatum|verstorben|date de deces|"
    "fecha de muerte|data di morte|data zgonu",
    ("patients", "regular_corticosteroids"): "regular corticosteroids|regular steroids|pulsed steroids",
    ("patients", "is_nmo"): "is nmo|nmo|nmosd",
    ("edss", "visit_date"): "visit date|date of visit|visit|date|edss date|date edss|date of edss|exam date|assessment date|"
    "examination date|untersuchungsdatum|visitendatum|datum|date de visite|date visite|date de consultation|"
    "fecha de visita|fecha|data della visita|data visita|data wizyty|data da consulta",
    ("edss", "edss"): "edss|edss score|edss total|actual edss|edss entered|edss value|edss step|edss wert|score edss|"
    "punktacja edss|initial edss|final edss|baseline edss",
    ("edss", "in_relapse"): "in relapse|during relapse|concurrent relapse|relapse visit|im schub|en poussee|en brote",
    ("edss", "is_valid_confirmation"): "valid confirmation|scheduled",
    ("edss", "msss_recorded"): "msss|ms severity score",
    ("edss", "fs_visual"): "fs visual|visual fs|fsvis|visual|optic|sehen|visuel|visivo|fssc visual",
    ("edss", "fs_brainstem"): "fs brainstem|brainstem|fsbstem|hirnstamm|tronc cerebral|tronco|fssc brainstem",
    ("edss", "fs_pyramidal"): "fs pyramidal|pyramidal|fspyr|piramidal|fssc pyramidal",
    ("edss", "fs_cerebellar"): "fs cerebellar|cerebellar|fscrbl|kleinhirn|cerebelleux|cerebeloso|fssc cerebellar",
    ("edss", "fs_sensory"): "fs sensory|sensory|fssens|sensibel|sensitif|sensitivo|fssc sensory",
    ("edss", "fs_bowel_bladder"): "fs bowel bladder|bowel bladder|bowel and bladder|sphincter|fssph|blase mastdarm|fssc bowel",
    ("edss", "fs_cerebral"): "fs cerebral|cerebral|mental|fscereb|fssc mental",
    ("edss", "ambulation"): "ambulation|fsamb|walking|gehfahigkeit|marche",
    ("relapses", "onset_date"): "relapse|relapse date|date of relapse|relapse onset|onset date|date of onset|attack date|date|"
    "schubdatum|schub|datum schub|beginn schub|schubbeginn|date de poussee|poussee|fecha del brote|fecha de brote|brote|"
    "data ricaduta|ricaduta|data rzutu|rzut|data do surto|surto",
    ("relapses", "relapse_id"): "relapse id|attack id|episode id|relapse number|schubnummer",
    ("relapses", "end_date"): "relapse end|end date|resolution date|ende schub|schubende|fin de poussee",
    ("relapses", "severity"): "severity|relapse severity|schweregrad|gravite|gravedad|gravita|nasilenie",
    ("relapses", "recovery"): "recovery|recovered|remission|erholung|ruckbildung|recuperation|recuperacion|recupero",
    ("relapses", "steroids"): "steroids|steroids used|corticosteroids|kortison|steroide|cortison|corticoides|cortisone|sterydy",
    ("relapses", "is_pseudo_relapse"): "pseudo relapse|pseudorelapse|pseudoschub|pseudo poussee|pseudobrote",
    ("treatments", "drug"): "drug|treatment|dmt|medication|therapy|drug name|inn|medikament|therapie|praparat|wirkstoff|"
    "traitement|medicament|farmaco|tratamiento|medicamento|terapia|lek|leczenie",
    ("treatments", "start_date"): "start|start date|date started|from|since|date commencing|beginn|therapiebeginn|start datum|"
    "seit|date de debut|debut traitement|fecha de inicio|inicio|data inizio|data rozpoczecia|poczatek",
    ("treatments", "end_date"): "stop|stop date|end|end date|date stopped|until|to|ende|therapieende|bis|date de fin|"
    "date d arret|fecha de fin|fecha final|data fine|data zakonczenia|koniec",
    ("treatments", "stop_reason"): "stop reason|reason stopped|reason for stopping|discontinuation reason|abbruchgrund|"
    "grund|motif d arret|motivo|motivo sospensione|przyczyna",
    ("treatments", "dose"): "dose|dosage|dosis|dosi|dawka",
    ("treatments", "dose_unit"): "dose unit|unit|einheit|unite|unidad",
    ("infusions", "drug"): "drug|infusion|drug infused",
    ("infusions", "infusion_date"): "infusion date|date of infusion|infusionsdatum|date de perfusion|fecha de infusion|data infusione",
    ("infusions", "dose_mg"): "dose mg|dose in mg|mg",
    ("infusions", "reason"): "reason|reason for course|retreatment reason",
    ("mri_scans", "scan_date"): "scan date|mri date|date of mri|date mri|mrt datum|datum mrt|date irm|irm|fecha rm|"
    "data rm|data mri|date of scan|exam date",
    ("mri_scans", "region"): "region|cns region|exam type|mri region|bereich|body part",
    ("mri_scans", "new_or_enlarging_t2"): "new or enlarging t2|new t2|new lesion|new lesions|new t2 lesions|n new t2|neue lasionen",
    ("mri_scans", "gd_lesions"): "gd lesions|gd|gadolinium lesions|gd enhancing|t1 gadolinium lesion|gd count|km aufnahme",
    ("mri_scans", "t2_lesions"): "t2 lesions|t2 lesion|t2 count|t2 lesion count|lesion count|lasionen",
    ("assessments", "assessed_on"): "assessed on|assessment date|test date|date|datum",
    ("assessments", "instrument"): "instrument|test|questionnaire|scale name",
    ("assessments", "scale"): "scale|subscale|domain|skala",
    ("assessments", "value"): "value|score|result|wert|valeur|valor",
    ("assessments", "item"): "item|question",
    ("assessments", "respondent"): "respondent|reported by|informant",
    ("adverse_events", "term"): "term|adverse event|event|ae|ae term|preferred term|meddra pt|nebenwirkung|"
    "unerwunschtes ereignis|evenement indesirable|evento adverso",
    ("adverse_events", "onset_date"): "onset date|ae onset|start date|ae start|beginn",
    ("adverse_events", "end_date"): "end date|ae end|resolved|ende",
    ("adverse_events", "is_serious"): "serious|sae|is serious|schwerwiegend|grave",
    ("adverse_events", "grade"): "grade|ctcae grade|severity grade|grad",
    ("adverse_events", "is_related"): "related|causality|relationship|zusammenhang",
    ("laboratory", "sampled_on"): "sampled on|sample date|lab date|collection date|date of sample|probendatum|abnahmedatum|date|datum",
    ("laboratory", "test"): "test|lab test|parameter|analyte|laborwert",
    ("laboratory", "value"): "value|result|wert|resultado|resultat|valor",
    ("laboratory", "comparator"): "comparator|operator",
    ("laboratory", "unit"): "unit|units|einheit|unite|unidad",
    ("medical_history", "category"): "category|condition|comorbidity|diagnosis category|begleiterkrankung",
    ("medical_history", "status"): "status|present|vorhanden",
    ("pk_samples", "first_dose_at"): "first dose|first dose at|dose time",
    ("pk_samples", "time_h"): "time h|time|hours|nominal time|actual time|zeit h",
    ("pk_samples", "concentration"): "concentration|conc|serum concentration|konzentration",
    ("pk_samples", "unit"): "unit|units",
    ("pk_samples", "is_below_quantification"): "below quantification|blq|bloq|bql",
    ("pk_samples", "lower_limit"): "lower limit|lloq|loq",
}  # fmt: skip

# Tests that stand as columns beside a visit: header → instrument.
_INSTRUMENTS = {"sdmt": "SDMT", "bvmt": "BVMT-R", "bvmtr": "BVMT-R", "t25fw": "T25FW", "25fw": "T25FW",
                "9hpt": "9HPT", "pasat": "PASAT", "pasat3": "PASAT", "pedsql": "PedsQL", "neuroqol": "NeuroQoL"}  # fmt: skip
# The score that a column named after its test alone is likeliest to hold.
_USUAL_SCALES = {"SDMT": "total_correct", "PASAT": "total_correct", "BVMT-R": "total_recall", "T25FW": "seconds",
                 "9HPT": "seconds"}  # fmt: skip
_DATE = re.compile(
    r"\d{4}(-\d{1,2}){0,2}([T ].*)?|(\d{1,2})[./-](\d{1,2})[./-](\d{2,4})|\d{1,2}[./-]\d{4}|\d{1,2}[ -]?[A-Za-z]{3,}\.?[ -]?\d{2,4}"
)
_DAY_MONTH = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](?:\d{4}|\d{2})")
_NUMBER = re.compile(r"[<>]?=?\s*-?\d+([.,]\d+)?")
_LEGEND = re.compile(r"\s*(\d{1,3}|[A-Za-z]{1,2})\s*[=:]\s*(\S.*)")
_NO_DATA = re.compile(
    r"(totals?|sum|summe|gesamt|mean|mittelwert|average|median|moyenne|media|promedio|somme|suma|totale|razem|n ?=|anzahl"
    r"|count|legend|legende|leyenda|legenda|notes?|nota|notas|source|quelle|fuente|fonte)\b",
    re.IGNORECASE,
)
_MISSING = {"", "n/a", "na", "?", "-", "--", "nan", "null", "none", "."}
_WORDS = {
    "sex": {"male": ("male", "m", "man", "mann", "mannlich", "homme", "hombre", "maschio", "mezczyzna", "masculino"),
            "female": ("female", "f", "w", "woman", "frau", "weiblich", "femme", "mujer", "femmina", "kobieta", "femenino")},
    "course": {"RR": ("rr", "rrms", "relapsing remitting"), "SP": ("sp", "spms", "secondary progressive"),
               "PP": ("pp", "ppms", "primary progressive"), "CIS": ("cis", "clinically isolated syndrome")},
}  # fmt: skip


_SHAPES = {"number": _NUMBER, "date": _DATE}
_OFTEN = 0.75  # half of the cells or more look right: likely enough to propose, and to ask about


@dataclass
class _Column:
    number: int
    header: str
    values: list[str]
    legend: dict[str, str] = field(default_factory=dict)
    is_twice: bool = False  # another column has the same header

    @property
    def origin(self) -> str:
        """How cohort.yaml names the column: by its header, or by its letter where that is no name."""
        return f"{{column: {mapping.letter(self.number)}}}" if self.is_twice else _quoted(self.header)

    @cached_property
    def shape(self) -> str:
        """What the values look like: date, number, text, empty."""
        if not self.filled:
            return "empty"
        return next((shape for shape in _SHAPES if self.share(shape) >= 0.8), "text")

    @cached_property
    def filled(self) -> list[str]:
        return [v for v in self.values if v.casefold() not in _MISSING]

    def share(self, shape: str) -> float:
        """Of the filled cells, how many look so (0–1)."""
        return sum(bool(_SHAPES[shape].fullmatch(v)) for v in self.filled) / max(1, len(self.filled))

    @cached_property
    def date_order(self) -> str | None:
        """`dmy`, `mdy`, `ambiguous`, or None where no cell is written so."""
        pairs = [(int(m[1]), int(m[2])) for v in self.values if (m := _DAY_MONTH.fullmatch(v))]
        if not pairs:
            return None
        day_first = any(first > 12 for first, _ in pairs)
        month_first = any(second > 12 for _, second in pairs)
        if day_first == month_first:
            return "ambiguous"
        return "dmy" if day_first else "mdy"


@dataclass(frozen=True)
class Match:
    """One header read as one field, and how sure that is, in per cent."""

    header: str
    table: str
    field: str
    confidence: int


@dataclass(frozen=True)
class Draft:
    """A drafted `cohort.yaml` and what it rests on."""

    text: str
    matches: tuple[Match, ...]
    doubts: tuple[str, ...]


def _plain(text: str) -> str:
    # Letters that NFKD does not take apart.
    text = text.translate(
        str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "đ": "d", "æ": "ae"})
    )
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", " ", folded).strip()


def draft_map(*paths: Path, limits: workbook.Limits | None = None) -> Draft:
    """Draft the `cohort.yaml` of one spreadsheet, of several, or of a cohort's folder.

    `encoding` and `delimiter` of a `cohort.yaml` that is there already apply and are kept.

    Raises:
        BrokenWorkbook: the one file cannot be read, or there is none.
        MappingError: the `cohort.yaml` that is there is wrong.
    """
    folder, files = load.asked_for(paths)
    return draft(files, load.map_of(folder), limits)


def draft(
    files: Mapping[str, Path | bytes],
    before: mapping.CohortMap | None = None,
    limits: workbook.Limits | None = None,
) -> Draft:
    """The same from files by name; `before` says how text files are cut into cells."""
    before = before or mapping.CohortMap()
    matches: list[Match] = []
    doubts: list[str] = []
    blocks: list[str] = []
    people: dict[str, set[str]] = {}
    for name, content in files.items():
        try:
            book = workbook.read(
                content, name, limits or workbook.Limits(), **mapping.text_file(name, before)
            )
        except BrokenWorkbook as error:
            if len(files) == 1:
                raise
            doubts.append(f"{name}: {error}")
            blocks.append(f"  # {_quoted(name)} cannot be read")
            continue
        for sheet in book.sheets:
            if _is_canonical(name, sheet, is_csv=book.is_text):
                blocks.append(f"  # {_quoted(name)}, sheet {_quoted(sheet.name)}: canonical, needs nothing")
                continue
            if block := _sheet(name, sheet, matches, doubts, people, is_csv=book.is_text):
                blocks.append(block)
    for (one, some), (other, others) in combinations(people.items(), 2):
        if some & others:
            doubts.append(
                f"{one} and {other} have patients of the same numbers: where these are other people, give one file a "
                "`prefix` at patient_id; where they are the same, keep one table of patients"
            )
    head = [
        "# Drafted by `remit map`. A number behind a field says how sure the match is. Correct what is marked",
        "# CHECK, then run `remit check`. docs/cohort.schema.json is the schema for editors.",
        "preset: canonical",
    ]
    stated = {name: value for name in mapping.TextFile.model_fields if (value := getattr(before, name))}
    head += [f"{name}: {_quoted(value)}" for name, value in stated.items()]
    is_list = any(block.startswith("  - ") for block in blocks)
    text = "\n".join([*head, "sheets:" if is_list else "sheets: []", *blocks]) + "\n"
    return Draft(text, tuple(matches), tuple(doubts))


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, default_style='"', width=10_000, allow_unicode=True).strip()


def _is_canonical(file: str, sheet: Any, *, is_csv: bool) -> bool:
    return mapping.plan(file, sheet, mapping.CohortMap(), is_csv=is_csv).status == "mapped"


def _header_row(cells: pl.DataFrame) -> int | None:
    """The row that names most columns in words that we know; else the first with most filled cells."""
    names = [name for name in cells.columns if name != "row"]
    top = cells.filter(mapping.filled(cells)).head(mapping.HEADER_SEARCH_ROWS)
    best, best_score = None, -1.0
    for row in top.iter_rows(named=True):
        texts = [t.strip() for n in names if (t := row[n]) and t.strip()]
        words = [t for t in texts if not _NUMBER.fullmatch(t) and not _DATE.fullmatch(t)]
        known = sum(_best(t)[0] >= LIKELY for t in words)
        score = 10 * known + len(words) - 0.5 * (len(texts) - len(words))
        if score > best_score:
            best, best_score = int(row["row"]), score
    return best


def _best(header: str) -> tuple[int, tuple[str, str]]:
    scores = _scores(header)
    best = max(scores, key=lambda key: scores[key])
    return scores[best], best


@cache
def _synonyms(key: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What a field is called, with and without blanks."""
    return tuple(
        (name, name.replace(" ", "")) for name in (key[1].replace("_", " "), *SYNONYMS[key].split("|"))
    )


@lru_cache(maxsize=4096)
def _scores(header: str) -> dict[tuple[str, str], int]:
    """0–100 for each field: how well a header names it."""
    plain = re.sub(r"\s*\b\d+\b\s*", " ", _plain(header)).strip() or _plain(header)
    return {key: _score(plain, key) for key in SYNONYMS}


def _score(plain: str, key: tuple[str, str]) -> int:
    compact, padded = plain.replace(" ", ""), f" {plain} "
    best = 0.0
    for synonym, joined in _synonyms(key):
        if plain == synonym or compact == joined:
            return 100
        if len(synonym) >= 4 and len(plain) >= 4:
            score = 0.9 * fuzz.ratio(plain, synonym)
            if f" {synonym} " in padded:
                score = max(score, 80 + 10 * len(synonym) / len(plain))
            best = max(best, score)
    return round(best)


_SPECS = {
    key: next(f for t, fields in TABLES.items() for f in fields if key in ((t, f.name), ("*", f.name)))
    for key in SYNONYMS
}


def _fit(key: tuple[str, str], column: _Column) -> float:
    """How well the values below a header fit the field: a factor."""
    spec = _SPECS[key]
    shape = column.shape
    if shape == "empty":
        return 0.95
    if spec.kind in ("date", "timestamp"):
        year = shape == "number" and all(
            1900 <= float(v.replace(",", ".")) <= 2100
            for v in column.values
            if _NUMBER.fullmatch(v) and v[0].isdigit()
        )
        # "autumn 2013" in every third cell does not make the column another one
        return 1.0 if shape == "date" or year else _OFTEN if column.share("date") >= 0.5 else 0.4
    if spec.kind in ("number", "integer"):
        numbers = [float(v.replace(",", ".")) for v in column.values if re.fullmatch(r"-?\d+([.,]\d+)?", v)]
        if shape != "number":
            return _OFTEN if column.share("number") >= 0.5 else 0.5
        low, high = spec.minimum, spec.maximum
        outside = [n for n in numbers if (low is not None and n < low) or (high is not None and n > high)]
        return 1.0 if len(outside) <= 0.1 * len(numbers) else 0.5
    if spec.kind == "id":
        return 1.0 if len(set(column.filled)) >= 0.02 * len(column.filled) else 0.6
    return 0.6 if shape == "date" else 1.0


def _sheet(
    file: str,
    sheet: Any,
    matches: list[Match],
    doubts: list[str],
    people: dict[str, set[str]],
    *,
    is_csv: bool,
) -> str:
    cells = sheet.cells
    lines = [f"  - file: {_quoted(file)}"]
    if not is_csv:
        lines.append(f"    sheet: {_quoted(sheet.name)}")
    header_row = _header_row(cells) if mapping.filled(cells).any() else None
    if header_row is None:
        return "" if is_csv else "\n".join([*lines, "    is_legend: true  # empty"])
    header_row, lines_of_header = _lines(cells, header_row)
    columns = _read_columns(cells, header_row, lines_of_header)
    legend_row, loose = _legend_row(cells, header_row + lines_of_header, columns)
    if legend_row is not None:
        columns = _read_columns(
            cells.filter(pl.col("row") < legend_row), header_row, lines_of_header, columns
        )
    lines.append(f"    header_row: {header_row}")
    if lines_of_header > 1:
        lines.append(f"    header_rows: {lines_of_header}")
    named = [c for c in columns if c.header]
    scored = {
        (key, c.number): round(_scores(c.header)[key] * _fit(key, c)) for c in named for key in SYNONYMS
    }
    patient = max(named, key=lambda c: (scored[(("*", "patient_id"), c.number)], -c.number), default=None)
    if patient is None or scored[(("*", "patient_id"), patient.number)] < LIKELY:
        unknown = ", ".join(repr(c.header) for c in named[:8])
        doubts.append(f"sheet {sheet.name!r}: no column looks like a patient's number ({unknown} …)")
        return "\n".join([*lines, "    is_legend: true  # CHECK: no column looks like a patient's number"])
    _explain(named, scored, loose)
    used: set[int] = {patient.number}
    orders: set[str] = set()
    repeated = _repeated(sheet, named, patient, used, matches, doubts, orders)
    named = [c for c in named if c.number not in used or c is patient]
    tables = _tables(sheet.name, named, scored, patient, is_all=not repeated)
    if "patients" in tables:
        people[file if is_csv else f"{file}: {sheet.name}"] = set(patient.values)
    lines.append("    tables:")
    for table in tables:
        lines += _table(sheet, table, named, scored, patient, used, matches, doubts, orders)
    lines += repeated
    lines += _instruments(named, tables, scored, patient, used, matches)
    if orders - {"ambiguous"}:
        order = sorted(orders - {"ambiguous"})[0]
        if len(orders - {"ambiguous"}) > 1:
            doubts.append(f"sheet {sheet.name!r}: some dates are day/month, others month/day")
            lines.append(f"    date_order: {order}  # CHECK: columns differ, set date_order at the column")
        else:
            lines.append(f"    date_order: {order}")
    elif "ambiguous" in orders:
        doubts.append(f"sheet {sheet.name!r}: dates fit day/month and month/day")
        lines.append("    date_order: dmy  # CHECK AMBIGUOUS: every date fits day/month and month/day alike")
    if not_data := _not_data(cells, header_row + lines_of_header, legend_row):
        lines.append(f"    not_data: {{{not_data}}}  # CHECK: looks like a legend or totals")
    rest = [c for c in columns if c.number not in used and (c.header or c.shape != "empty")]
    with_header = [c for c in rest if c.header]
    if with_header:
        lines.append("    ignore:  # CHECK: these are not read")
        lines += [f"      - {_quoted(c.header)}" for c in with_header]
    if bare := [mapping.letter(c.number) for c in rest if not c.header]:
        lines.append(f"    ignore_columns: [{', '.join(bare)}]  # CHECK: no header, but values")
    return "\n".join(lines)


def _lines(cells: pl.DataFrame, row: int) -> tuple[int, int]:
    """First row and number of the header's lines: two where joining them names more columns."""

    def named(first: int, lines: int) -> int:
        headers = {h for h in mapping._headers(cells, first, lines).values() if h}
        known = [_best(h) for h in headers]
        is_patient = any(_scores(h)[("*", "patient_id")] >= LIKELY for h in headers)
        return sum(score >= LIKELY for score, _ in known) + 3 * is_patient

    best = (named(row, 1), row, 1)
    for first in (row - 1, row):
        lower = cells.filter(pl.col("row") == first + 1)
        if first < 1 or not lower.height or not mapping.filled(cells.filter(pl.col("row") == first)).any():
            continue
        texts = [t.strip() for t in lower.drop("row").row(0) if t and t.strip()]
        if any(_NUMBER.fullmatch(t) or _DATE.fullmatch(t) for t in texts):
            continue
        best = max(best, (named(first, 2), first, 2), key=lambda found: found[0])
    return best[1:]


def _read_columns(
    cells: pl.DataFrame, header_row: int, lines: int, before: list[_Column] | None = None
) -> list[_Column]:
    headers = mapping._headers(cells, header_row, lines)
    body = cells.filter(pl.col("row") >= header_row + lines).head(SAMPLE_ROWS)
    legends = {c.number: c.legend for c in before or ()}
    plain = [mapping.normal(header) for header in headers.values()]
    result = []
    for number, header in headers.items():
        values = [v.strip() for v in body[f"c{number}"].drop_nulls().to_list() if v.strip()]
        is_twice = bool(header) and plain.count(mapping.normal(header)) > 1
        result.append(_Column(number, header, values, legends.get(number, {}), is_twice))
    return result


def _legend_row(
    cells: pl.DataFrame, first_row: int, columns: list[_Column]
) -> tuple[int | None, list[tuple[str, str]]]:
    """First row of a block at the end whose cells say `1 = Male`; the codes go to their columns, and all are returned."""
    body = cells.filter(pl.col("row") >= first_row)
    names = [n for n in cells.columns if n != "row"]
    start = None
    loose: list[tuple[str, str]] = []
    for row in body.tail(200).reverse().iter_rows(named=True):
        texts = {int(n[1:]): row[n] for n in names if row[n] and row[n].strip()}
        if not texts:
            continue
        found = {number: m for number, text in texts.items() if (m := _LEGEND.fullmatch(text))}
        if len(found) < len(texts):
            break
        start = int(row["row"])
        loose += [(m[1], m[2].strip()) for m in found.values()]
        for column in columns:
            if column.number in found:
                column.legend[found[column.number][1]] = found[column.number][2].strip()
    return start, loose


def _explain(named: list[_Column], scored: dict, loose: list[tuple[str, str]]) -> None:
    """Codes of a legend that stands in another column go to the column whose cells are these codes."""
    for name in _WORDS:
        codes = {code: meaning for code, meaning in loose if _meaning(name, meaning)}
        for column in named:
            cells = set(column.values) - _MISSING
            if (
                not column.legend
                and cells
                and cells <= set(codes)
                and scored[(("patients", name), column.number)] >= LIKELY
            ):
                column.legend.update(codes)


def _meaning(name: str, text: str) -> str | None:
    """The canonical code of a word of `sex` or `course`."""
    return next((value for value, words in _WORDS.get(name, {}).items() if _plain(text) in words), None)


def _not_data(cells: pl.DataFrame, first_row: int, legend_row: int | None) -> str:
    """`from_row` of a legend and the words that totals below the data start with."""
    body = cells.filter(pl.col("row") >= first_row, pl.col("row") < (legend_row or 2**31))
    words = {}
    for row in body.tail(30).drop("row").iter_rows():
        first = next((text.strip() for text in row if text and text.strip()), "")
        if found := _NO_DATA.match(first):
            words[found[0]] = None
    parts = [f"from_row: {legend_row}"] if legend_row else []
    parts += [f"starts_with: [{', '.join(map(_quoted, words))}]"] if words else []
    return ", ".join(parts)


# Where one row holds several records of a table, the field that tells them apart.
_ANCHORS = {
    "edss": "edss", "treatments": "drug", "infusions": "infusion_date", "mri_scans": "scan_date",
    "adverse_events": "term", "relapses": "onset_date",
}  # fmt: skip
_ONE_NUMBER = re.compile(r"(?<!\d)(\d{1,2})(?!\d)")


def _series(named: list[_Column]) -> dict[str, dict[int, _Column]]:
    """Headers that differ by a number alone (`EDSS {n}`), or that stand several times, with their columns in order."""
    found: dict[str, dict[int, _Column]] = {}
    for column in named:
        if column.is_twice:
            same = found.setdefault(column.header.strip().casefold(), {})
            same[len(same) + 1] = column
        elif (
            len(numbers := _ONE_NUMBER.findall(column.header)) == 1
            and _plain(column.header) not in _with_digits()
        ):
            template = _ONE_NUMBER.sub("{n}", column.header.strip())
            alike = next((t for t in found if mapping.normal(t) == mapping.normal(template)), template)
            found.setdefault(alike, {})[int(numbers[0])] = column
    return {template: columns for template, columns in found.items() if len(columns) > 1}


@cache
def _with_digits() -> frozenset[str]:
    """Names of fields of which a number is part (T2 lesions): they are no series."""
    return frozenset(name for key in SYNONYMS for name, _ in _synonyms(key) if re.search(r"\d", name))


def _repeated(
    sheet: Any, named: list[_Column], patient: _Column, used: set[int], matches: list[Match], doubts: list[str],
    orders: set[str],
) -> list[str]:  # fmt: skip
    """Tables of which one row holds several records: visit 1 date, visit 1 EDSS, visit 2 date …"""
    series = _series([c for c in named if c is not patient])
    scores = {
        template: {
            key: round(
                _scores(next(iter(columns.values())).header)[key]
                * _fit(key, _Column(0, template, [v for c in columns.values() for v in c.values]))
            )
            for key in SYNONYMS
        }
        for template, columns in series.items()
    }
    lines: list[str] = []
    for table, anchor in _ANCHORS.items():
        candidates = [t for t in series if scores[t][(table, anchor)] >= LIKELY]
        if table == "relapses":
            # "Date 1, Date 2" may be dates of anything.
            candidates = [
                t
                for t in candidates
                if _plain(t.replace("{n}", "")) not in ("date", "datum", "fecha", "data")
            ]
        if not candidates:
            continue
        main = max(candidates, key=lambda t: scores[t][(table, anchor)])
        group = {anchor: main}
        others = sorted(
            ((scores[t][(table, f.name)], t, f.name) for t in series if t != main
             for f in TABLES[table] if (table, f.name) in SYNONYMS
             and len(set(series[t]) & set(series[main])) > 1 and scores[t][(table, f.name)] >= LIKELY),
            key=lambda found: -found[0],
        )  # fmt: skip
        for _, template, name in others:
            if name not in group and template not in group.values():
                group[name] = template
        if len(group) == 1 and table != "relapses":
            continue
        confidence = min(scores[template][(table, name)] for name, template in group.items())
        matches += [
            Match(column.header, table, name, scores[template][(table, name)])
            for name, template in group.items()
            for column in series[template].values()
        ]
        if confidence < SURE:
            shown = ", ".join(f"{template!r} as {name}" for name, template in group.items())
            doubts.append(f"sheet {sheet.name!r}: repeated columns read as {table}: {shown} ({confidence} %)")
        lines += [f"      - table: {table}", "        columns:", f"          patient_id: {patient.origin}"]
        lines.append("        repeat:  # several records in one row")
        numbers = sorted({n for template in group.values() for n in series[template]})
        if all("{n}" in template for template in group.values()):
            entry = ", ".join(f"{name}: {_quoted(template)}" for name, template in group.items())
            shown = ", ".join(map(str, numbers[:3])) + (" …" if len(numbers) > 3 else "")
            lines.append(f"          - {{{entry}}}{_mark(confidence)}, n = {shown}")
        else:
            for n in numbers:
                here = {name: series[t][n] for name, t in group.items() if n in series[t]}
                entry = ", ".join(f"{name}: {column.origin}" for name, column in here.items())
                lines.append(f"          - {{{entry}}}{_mark(confidence)}")
        lacking = [f.name for f in TABLES[table] if f.required and f.kind != "id" and f.name not in group]
        if lacking:
            doubts.append(f"sheet {sheet.name!r}: {table} has no column for {', '.join(lacking)}")
            lines.append(f"        not_delivered: [{', '.join(lacking)}]  # CHECK: no such column was found")
        for template in group.values():
            for column in series.pop(template).values():
                used.add(column.number)
                orders |= {column.date_order} if column.date_order else set()
    return lines


def _tables(name: str, named: list[_Column], scored: dict, patient: _Column, *, is_all: bool) -> list[str]:
    """Tables that the sheet's columns fill, the likeliest first; `patients` before the others."""
    strength: dict[str, float] = {}
    for table, fields in TABLES.items():
        total = 0.0
        for spec in fields:
            if spec.kind == "id" or (table, spec.name) not in SYNONYMS:
                continue
            best = max((scored[((table, spec.name), c.number)] for c in named if c is not patient), default=0)
            if best >= LIKELY:
                total += best * (1.5 if spec.required else 1.0)
        nearness = max(fuzz.partial_ratio(_plain(name), _plain(word)) for word in (table, table.rstrip("s")))
        strength[table] = total * (1.5 if nearness >= 85 else 1.0)
    chosen = max(strength, key=lambda t: strength[t])
    # Score columns decide by themselves; a date alone never makes a second table.
    own = {
        "edss": ("edss",),
        "patients": ("sex", "birth_date", "course"),
        "mri_scans": ("new_or_enlarging_t2", "gd_lesions"),
    }
    extra = [
        table
        for table, fields in own.items()
        if table != chosen
        and any(scored[((table, f), c.number)] >= SURE - 5 for f in fields for c in named if c is not patient)
    ]
    found = [t for t in dict.fromkeys([chosen, *extra]) if strength[t] > 0] or (
        ["patients"] if is_all else []
    )
    return sorted(found, key=lambda t: t != "patients")


def _table(
    sheet: Any, table: str, named: list[_Column], scored: dict, patient: _Column, used: set[int],
    matches: list[Match], doubts: list[str], orders: set[str],
) -> list[str]:  # fmt: skip
    confidence = scored[(("*", "patient_id"), patient.number)]
    matches.append(Match(patient.header, table, "patient_id", confidence))
    lines = [f"      - table: {table}", "        columns:"]
    lines.append(f"          patient_id: {patient.origin}{_mark(confidence)}")
    free = [c for c in named if c is not patient and c.number not in used]
    pairs = sorted(
        (
            (scored[((table, spec.name), c.number)], -c.number, spec.name, c)
            for spec in TABLES[table]
            for c in free
            if (table, spec.name) in SYNONYMS and scored[((table, spec.name), c.number)] >= LIKELY
        ),
        key=lambda p: (-p[0], -p[1]),
    )
    taken: dict[str, tuple[int, _Column]] = {}
    repeats: list[tuple[int, _Column]] = []
    gone: set[int] = set()
    for score, _, name, column in pairs:
        if column.number in gone:
            continue
        if name in taken:
            # Several EDSS columns in one row are several visits.
            if table == "edss" and name == "edss" and score >= 80:
                repeats.append((score, column))
                gone.add(column.number)
            continue
        taken[name] = (score, column)
        gone.add(column.number)
    is_wide = bool(repeats) and "edss" in taken
    for name, (score, column) in taken.items():
        matches.append(Match(column.header, table, name, score))
        if column.date_order:
            orders.add(column.date_order)
        if is_wide and name == "edss":
            continue
        lines.append(f"          {name}: {_origin(name, column)}{_mark(score)}")
        if score < SURE:
            doubts.append(f"sheet {sheet.name!r}: {column.header!r} read as {table}.{name} ({score} %)")
    if is_wide:
        lines.append("        repeat:  # several visits in one row")
        for score, column in sorted([taken["edss"], *repeats], key=lambda x: x[1].number):
            lines.append(f"          - {{edss: {column.origin}}}{_mark(score)}")
            matches.append(Match(column.header, table, "edss", score))
    used |= gone
    lacking = [f.name for f in TABLES[table] if f.required and f.kind != "id" and f.name not in taken]
    if lacking:
        doubts.append(f"sheet {sheet.name!r}: {table} has no column for {', '.join(lacking)}")
        lines.append(f"        not_delivered: [{', '.join(lacking)}]  # CHECK: no such column was found")
    return lines


def _instruments(
    named: list[_Column], tables: list[str], scored: dict, patient: _Column, used: set[int],
    matches: list[Match],
) -> list[str]:  # fmt: skip
    """Tests that stand as columns beside a dated visit: one table of assessments each."""
    dates = {c.number: scored[(("edss", "visit_date"), c.number)] for c in named if c.shape == "date"}
    if "edss" not in tables or not dates:
        return []
    date = next(c for c in named if c.number == max(dates, key=lambda n: dates[n]))
    lines = []
    for column in named:
        instrument = _INSTRUMENTS.get(_plain(column.header).replace(" ", ""))
        if instrument is None or column.number in used or column.shape != "number":
            continue
        used.add(column.number)
        matches.append(Match(column.header, "assessments", "value", 85))
        lines += [
            "      - table: assessments",
            "        columns:",
            f"          patient_id: {patient.origin}",
            f"          assessed_on: {date.origin}",
            f"          instrument: {{constant: {instrument}}}",
            f"          scale: {{constant: {_USUAL_SCALES.get(instrument, 'total')}}}  # CHECK: which score of the test is it?",
            f"          value: {column.origin}  # 85 % CHECK",
        ]
    return lines


def _origin(name: str, column: _Column) -> str:
    codes = {code: value for code, text in column.legend.items() if (value := _meaning(name, text))}
    if not codes:
        return column.origin
    listed = ", ".join(f"{_quoted(code)}: {value}" for code, value in codes.items())
    inside = column.origin.strip("{}") if column.is_twice else f"header: {_quoted(column.header)}"
    return f"{{{inside}, codes: {{{listed}}}}}"


def _mark(score: int) -> str:
    return f"  # {score} %" if score >= SURE else f"  # {score} % CHECK"
