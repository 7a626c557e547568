"""Drug names as people write them → international nonproprietary names (INN).

The vocabulary is two dbt seeds, `drugs.csv` and `drug_aliases.csv`, so SQL and Python read the same list; both
the registry and the cohort side use it. Only names are matched here: doses, dates and rows belong elsewhere.

A name is `exact` when the whole of it, or all of it but doses, routes, forms and numbering, is a known alias.
It is `fuzzy` when it is at most one letter off a known alias (two from eleven letters up) and no other drug is
nearly as close; short names are never matched so. Anything else is `none`: an unknown drug stays unknown, it is
never guessed into another one, and two drugs in one cell are not one drug.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

SEEDS = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds" / "shared"

# Shorter names lie within one letter of too many others (Rebif, Humira, Lyrica).
FUZZY_MIN_LETTERS = 6
# Two errors are allowed from this length on.
FUZZY_LONG_LETTERS = 11
# Distinct names a block of the distance matrix: bounds its memory to some 20 MB.
_BLOCK = 4096

# Names of one pharmacological family differ in front and agree behind: their first three letters must be right.
_FAMILY = re.compile(r"(?:mab|nib|mod|cept|mide|bine|mus)$")

# What may stand beside a drug's name without changing it. Nothing here may be a drug, "no" or "allergy".
_NOISE_TEXT = """
mg mcg ug μg g gr gram grams gramm kg ml l iu ie ui me miu mui mie mio mln million millionen u units unit
einheiten micrograms microgram mikrogramm milligramm milligram milligrams microgrammes m2 qm
sc s c subcutaneous subcutaneously subkutan subcutan subcutanea subcutane subcutaneo podskornie
im i m intramuscular intramuskular iv v intravenous intravenously intravenos intravenosa intravenoso dozylnie
po p o oral orally peroral per os doustnie orale
tablet tablets tabl tab tabs tablette tabletten tabletki comprimidos comprimes compresse comp cp cpr filmtabletten
capsule capsules cap caps kapsel kapseln kapsulki capsulas gelules capsula hard hartkapseln
injection injections inj injektion inyeccion iniezione pen autoinjector syringe fertigspritze prefilled pfs ampoule amp
infusion infusions inf infusionen wlew perfusion infusione solution losung konzentrat concentrate vial forte retard
depot sr er xr pulse pulses bolus stoss
course courses cycle cycles zyklus zyklen kurs kurse cykl ciclo ciclos cure cures dose doses dosis dosen dawka round
first second third fourth fifth 1st 2nd 3rd 4th 5th i ii iii
daily day days d qd od bid tid tds bd hs qod eod qw q2w q4w q6w q8w q12w weekly week weeks wk monthly month months
every other per a x once twice thrice three times time tiw biw 1x 2x 3x a jour jours semaine mois tag tage taglich
wochentlich woche wochen monat monate monatlich alle dia dias diario semana semanal mes mensual giorno settimana
mese dziennie tydzien tygodniowo miesiac co
extended interval standard dosing eid sid maintenance loading induction therapy treatment therapie terapia
traitement tratamiento trattamento leczenie behandlung since seit od depuis desde dal current ongoing aktuell
continuing started start begin beginn restart resumed generic biosimilar brand original rdna human recombinant
"""
_NOISE_WORDS = frozenset(_NOISE_TEXT.split())
_GLUED = re.compile(r"^([^\W\d_]{4,})(\d\w*)$")  # rebif44, lemtrada12mg
_NOISE = re.compile(
    r"^(?:\d+|(?:\d+x)?\d*(?:mg|mcg|ug|μg|g|ml|iu|ie|miu|mio|m2|kg|x|d|w|wk|mo|h)|x\d+|\d+x\d+|q\d+[wdhm]|\d+(?:st|nd|rd|th|er|e|o))$"
)


def normalise(names: pl.Expr) -> pl.Expr:
    """Text in the form that `drug_aliases.alias` has: lower case, no accents, no punctuation, single spaces.

    Greek letters are written out (`IFNβ-1a` → `ifn beta 1a`; a German ß standing alone is read as β).
    """
    text = names.str.normalize("NFKC").str.to_lowercase()
    text = text.str.replace_all(r"([^\p{L}]|ifn|^)ß([^\p{L}]|$)", "${1} beta ${2}")
    text = text.str.replace_many(
        ["ß", "α", "β", "γ", "ł", "ø", "đ", "ı", "æ", "œ", "®", "™", "©"],
        ["ss", " alpha ", " beta ", " gamma ", "l", "o", "d", "i", "ae", "oe", "", "", ""],
    )
    text = text.str.normalize("NFKD").str.replace_all(r"\p{M}", "")
    text = text.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars(" ")
    # beta1a, beta 1 a → beta 1a
    return text.str.replace_all(r"\b(beta|alpha|alfa|gamma) ?([12]) ?([ab])\b", "${1} ${2}${3}")


def normalise_one(name: str) -> str:
    """One name, normalised."""
    return pl.select(normalise(pl.lit(name))).item()


@lru_cache(maxsize=1)
def drugs() -> pl.DataFrame:
    """The vocabulary: inn, drug_class, groups (semicolon list), route, is_dmt, is_approved_for_ms."""
    return pl.read_csv(
        SEEDS / "drugs.csv", schema_overrides={"is_dmt": pl.Boolean, "is_approved_for_ms": pl.Boolean}
    )


@lru_cache(maxsize=1)
def aliases() -> pl.DataFrame:
    """All names of the vocabulary: alias (normalised, unique), inn, kind."""
    return pl.read_csv(SEEDS / "drug_aliases.csv", infer_schema=False)


@lru_cache(maxsize=1)
def _lookup() -> dict[str, str]:
    with (SEEDS / "drug_aliases.csv").open(encoding="utf-8", newline="") as file:
        return {row["alias"]: row["inn"] for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def _groups() -> dict[str, frozenset[str]]:
    return {
        inn: frozenset((groups or "").split(";"))
        for inn, groups in drugs().select("inn", "groups").iter_rows()
    }


@lru_cache(maxsize=1)
def _longest_alias() -> int:
    return max(alias.count(" ") + 1 for alias in _lookup())


def match(names: pl.Series) -> pl.DataFrame:
    """The INN of each distinct name.

    Returns:
        One row a distinct non-null name: `name` (as given), `inn` (null where none), `match` (`exact`,
        `fuzzy`, `none`), `score` (0–100, 100 for exact, null for none). Join it back on `name`; a fuzzy
        match is to be flagged (`drug_name_fuzzy`).
    """
    distinct = (
        pl.DataFrame({"name": names.cast(pl.String)}).drop_nulls().unique(maintain_order=True)
        .with_columns(normalised=normalise(pl.col("name")))
    )  # fmt: skip
    texts = distinct["normalised"].unique(maintain_order=True).to_list()
    found: dict[str, tuple[str | None, str, float | None]] = {}
    rest: dict[str, str] = {}
    # Distinct drug names of a file are some dozens to hundreds: this loop is over names, not over rows.
    for text in texts:
        inn, core = _exact(text)
        if inn is not None:
            found[text] = (inn, "exact", 100.0)
        else:
            found[text] = (None, "none", None)
            if core is not None and _may_be_fuzzy(core):
                rest[text] = core
    cores = sorted(set(rest.values()))
    nearest = _fuzzy(cores)
    for text, core in rest.items():
        if core in nearest:
            inn, score = nearest[core]
            found[text] = (inn, "fuzzy", score)
    answers = pl.DataFrame(
        [(text, *answer) for text, answer in found.items()],
        schema={"normalised": pl.String, "inn": pl.String, "match": pl.String, "score": pl.Float64},
        orient="row",
    )
    return distinct.join(answers, on="normalised", how="left", maintain_order="left").drop("normalised")


def _exact(text: str) -> tuple[str | None, str | None]:
    """The INN of a normalised text, or None and the words left to compare (None: nothing to compare)."""
    lookup = _lookup()
    if not text:
        return None, None
    if text in lookup:
        return lookup[text], None
    words = [part for word in text.split(" ") for part in _unglued(word)]
    found: set[str] = set()
    left: list[str] = []
    place = 0
    while place < len(words):
        for length in range(min(_longest_alias(), len(words) - place), 0, -1):
            inn = lookup.get(" ".join(words[place : place + length]))
            if inn is not None:
                found.add(inn)
                place += length
                break
        else:
            left.append(words[place])
            place += 1
    left = [word for word in left if not (word in _NOISE_WORDS or _NOISE.match(word))]
    if not found:
        return None, " ".join(left) or None
    if left:
        # Known and unknown words together ("interferon gamma", "anti natalizumab antibodies") are not that drug,
        # but a misspelt second word of one name may be ("glatiramer acetete").
        core = [word for word in words if not (word in _NOISE_WORDS or _NOISE.match(word))]
        return None, " ".join(core)
    if len(found) > 1:
        # "Rebif (interferon beta)": the general name beside the special one adds nothing.
        found = {
            inn
            for inn in found
            if not any(_slug(inn) in _groups()[other] for other in found if other != inn)
        }  # fmt: skip
    return (found.pop(), None) if len(found) == 1 else (None, None)


def _unglued(word: str) -> tuple[str, ...]:
    glued = None if word in _lookup() else _GLUED.match(word)
    return glued.groups() if glued else (word,)


def _slug(inn: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", inn.lower())


def _may_be_fuzzy(core: str) -> bool:
    return sum(character.isalpha() for character in core) >= FUZZY_MIN_LETTERS and len(core) <= 80


@lru_cache(maxsize=1)
def _targets() -> list[str]:
    return sorted(alias for alias in _lookup() if _may_be_fuzzy(alias))


def _fuzzy(cores: list[str]) -> dict[str, tuple[str, float]]:
    """The single drug whose name is within the allowed distance of each text, where there is one."""
    targets, lookup = _targets(), _lookup()
    answers: dict[str, tuple[str, float]] = {}
    for start in range(0, len(cores), _BLOCK):
        block = cores[start : start + _BLOCK]
        distances = process.cdist(block, targets, scorer=OSA.distance, score_cutoff=3, dtype=np.uint8)
        for row, core in enumerate(block):
            near = np.flatnonzero(distances[row] <= 3)
            if not near.size:
                continue
            best = int(distances[row][near].min())
            # Another drug at nearly the same distance makes it a guess.
            rivals = {lookup[targets[i]] for i in near if distances[row][i] <= best + 1}
            hits = [i for i in near if distances[row][i] == best and _acceptable(core, targets[i], best)]
            if hits and len(rivals) == 1:
                longest = max(len(core), len(targets[hits[0]]))
                answers[core] = (rivals.pop(), round(100 * (1 - best / longest), 1))
    return answers


def _acceptable(core: str, alias: str, distance: int) -> bool:
    shorter = min(len(core), len(alias))
    if distance > (2 if shorter >= FUZZY_LONG_LETTERS else 1) or core[0] != alias[0]:
        return False
    if _FAMILY.search(alias) and core[:3] != alias[:3]:
        return False
    # A digit tells drugs apart (beta 1a, beta 1b) and is never a slip.
    return re.findall(r"\d\w*", core) == re.findall(r"\d\w*", alias)
