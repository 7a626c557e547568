"""The report's page of single patients: pick a trial and a patient, read criterion by criterion why.

Made from the marts alone, of a bounded number of answers; what it leaves out `remit explain` prints (explain.py).
Texts reach the page as data and are set as text by its script, never as markup.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from jinja2 import Environment
from markupsafe import Markup

from pipeline.release.explain import VERDICTS
from pipeline.release.page import CONTENT_POLICY, STYLE

NEEDS = ("trials.patient_eligibility", "trials.patient_criteria", "registry.criteria", "registry.studies")
# Answers on the page: some 4 MB, which a browser opens in a second. Each trial gets the same share of them.
LIMIT = 50_000

_PAIRS = """
with room as (
    select cast(floor($limit / greatest(1, count(*))) as bigint) as patients
    from (select distinct nct_id, criterion_id from trials.patient_criteria)
),
detailed as (
    select distinct cohort, patient_id, nct_id from trials.patient_criteria
),
ranked as (
    select
        e.*,
        row_number() over (
            partition by e.nct_id
            order by
                case verdict when 'eligible' then 0 when 'eligible_on_evaluable' then 1 when 'indeterminate' then 2 else 3 end,
                criteria_not_met, criteria_unknown, e.cohort, e.patient_id
        ) as place
    from trials.patient_eligibility as e
    join detailed using (cohort, patient_id, nct_id)
)
select ranked.* exclude (place) from ranked, room where place <= room.patients
order by nct_id, place
"""
_ANSWERS = """
select a.*
from trials.patient_criteria as a
join chosen using (cohort, patient_id, nct_id)
order by a.nct_id, a.cohort, a.patient_id, a.position_in_text
"""
_CRITERIA = """
select distinct a.nct_id, a.criterion_id, a.position_in_text, a.section, a.part, a.is_alternative, c.text
from trials.patient_criteria as a
left join registry.criteria as c using (nct_id, criterion_id)
where a.nct_id in (select nct_id from chosen)
order by a.nct_id, a.position_in_text
"""


def write(connection: duckdb.DuckDBPyConnection, file: Path, *, limit: int = LIMIT) -> bool:
    """Write the page for the open release database.

    Args:
        connection: an open release.
        file: the page to write, beside the report.
        limit: answers at most.

    Returns:
        Whether there was anything to show; without patients put to trials no page is written.
    """
    pairs = connection.execute(_PAIRS, {"limit": limit}).pl()
    if pairs.is_empty():
        return False
    data = _data(connection, pairs)
    total = connection.sql("select count(*) from trials.patient_eligibility").fetchall()[0][0]
    page = Environment(autoescape=True).from_string(PAGE)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        page.render(
            policy=CONTENT_POLICY,
            style=Markup(STYLE + _STYLE),
            script=Markup(_SCRIPT),
            # Inside a script element nothing but its end tag has a meaning, and that begins with this letter.
            data=Markup(
                json.dumps(data, ensure_ascii=False, separators=(",", ":"))
                .replace("<", "\\u003c")
                .replace("\u2028", "\\u2028")
                .replace("\u2029", "\\u2029")
            ),
            left_out=total - pairs.height,
            total=total,
        ),
        "utf-8",
    )
    return True


class _Texts:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def number(self, text: Any) -> int:
        """The text's number; -1 for none."""
        return -1 if text is None or text == "" else self.known.setdefault(str(text), len(self.known))


def _data(connection: duckdb.DuckDBPyConnection, pairs: pl.DataFrame) -> dict[str, Any]:
    texts = _Texts()
    connection.register("chosen", pairs.select("cohort", "patient_id", "nct_id"))
    try:
        answers = connection.sql(_ANSWERS).pl()
        criteria = connection.sql(_CRITERIA).pl()
        titles = dict(connection.sql("select nct_id, brief_title from registry.studies").fetchall())
    finally:
        connection.unregister("chosen")
    trials = {
        nct_id: [
            [row["position_in_text"], row["section"] == "inclusion", texts.number(row["part"]), texts.number(row["text"]),
             row["is_alternative"]]
            for row in rows.iter_rows(named=True)
        ]
        for (nct_id,), rows in criteria.group_by("nct_id", maintain_order=True)
    }  # fmt: skip
    positions = dict(
        zip(
            criteria.select("nct_id", "criterion_id").iter_rows(),
            criteria["position_in_text"].to_list(),
            strict=True,
        )
    )
    patients: dict[tuple[str, str], int] = {}
    rows_of: dict[tuple[str, str, str], list[list[Any]]] = {}
    for row in answers.iter_rows(named=True):
        rows_of.setdefault((row["nct_id"], row["cohort"], row["patient_id"]), []).append(
            [row["position_in_text"], {True: 1, False: 0, None: -1}[row["is_satisfied"]], texts.number(row["reason"]),
             texts.number(_value(row)), texts.number(_source(row)), texts.number(row["quote"]),
             texts.number(row["unknown_kind"])]
        )  # fmt: skip
    shown: dict[str, list[list[Any]]] = {nct_id: [] for nct_id in trials}
    for pair in pairs.iter_rows(named=True):
        nct_id, who = pair["nct_id"], (pair["cohort"], pair["patient_id"])
        shown[nct_id].append(
            [patients.setdefault(who, len(patients)), texts.number(VERDICTS[pair["verdict"]]),
             positions.get((nct_id, pair["first_failing_criterion"]), 0), pair["criteria_met"], pair["criteria_not_met"],
             pair["criteria_unknown"], texts.number(pair["screened_on"]), pair["screening_basis"] == "index",
             [positions[nct_id, criterion] for criterion in pair["deciding_unknowns"] or () if (nct_id, criterion) in positions],
             rows_of[nct_id, *who]]
        )  # fmt: skip
    return {
        "trials": [
            [nct_id, texts.number(titles.get(nct_id)), rows, shown[nct_id]] for nct_id, rows in trials.items()
        ],
        "patients": [list(who) for who in patients],
        "texts": list(texts.known),
    }


def _value(row: dict[str, Any]) -> str | None:
    if row["patient_value"] and row["patient_value_date"] and row["unknown_kind"] is None:
        return f"{row['patient_value']} ({row['patient_value_date']})"
    return row["patient_value"]


def _source(row: dict[str, Any]) -> str | None:
    if not row["source_file"]:
        return None
    cell = (
        f"cell {row['source_column']}{row['source_row']}"
        if row["source_column"]
        else f"row {row['source_row']}"
    )
    return f"delivery {row['source_file']}, sheet {row['source_sheet']}, {cell}"


_STYLE = """
.pick { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; } .pick label { display: block; font-weight: 600; }
select { font: inherit; padding: .25rem; max-width: 34rem; } table.criteria { width: 100%; table-layout: fixed; }
.criteria th:nth-child(1) { width: 2rem; } .criteria th:nth-child(2) { width: 34%; } .criteria th:nth-child(3) { width: 7rem; } .criteria th:nth-child(4) { width: 28%; } table.criteria td { border-bottom: 1px solid #e3e8ee; }
td.p { white-space: nowrap; font-weight: 600; } .yes { color: #166534; } .no { color: #9a3412; } .open { color: #6b4e00; }
tr.excludes td { background: #fdeee6; } mark { background: #fff3bf; } .cell { color: #56637a; font-size: .92em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { font-weight: 600; } dd { margin: 0; }
@media print { .pick, nav, .screen { display: none; } body { margin: 0; max-width: none; font-size: 11px; } }
"""

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Remit: why a patient fits a trial or not</title><style>{{ style }}</style></head><body>
<nav><a href="index.html">Report</a></nav>
<h1>Why a patient fits a trial or not</h1>
<p class="flag">This page shows single patients under pseudonyms, with exact dates: personal data. Keep it as you keep the release.</p>
<p class="note screen">For checking against chart and protocol: each sentence of the protocol, whether the patient passes it, what was asked,
what the patient's records say and in which cell that stands. A ? is never a pass.
{% if left_out %}{{ "{:,}".format(left_out) }} of {{ "{:,}".format(total) }} pairs of patient and trial are left out here: each trial shows the patients who come nearest
to it. For any other: <code>remit explain PATIENT TRIAL</code>.{% else %}The same as text: <code>remit explain PATIENT TRIAL</code>.{% endif %}</p>
<div class="pick"><div><label for="trial">Trial</label><select id="trial"></select></div>
<div><label for="verdict">Verdict</label><select id="verdict"></select></div>
<div><label for="patient">Patient</label><select id="patient"></select></div></div>
<main id="out" aria-live="polite"></main>
<noscript><p>This page needs its script to choose a patient; <code>remit explain PATIENT TRIAL</code> prints the same.</p></noscript>
<script type="application/json" id="data">{{ data }}</script>
<script>{{ script }}</script>
</body></html>
"""

_SCRIPT = """
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const text = number => number < 0 ? "" : data.texts[number];
const byId = id => document.getElementById(id);
const make = (name, words, style) => {
  const found = document.createElement(name);
  if (words !== undefined) found.textContent = words;
  if (style) found.className = style;
  return found;
};
const fill = (select, options, wanted) => {
  select.replaceChildren(...options.map(([value, words]) => {
    const option = make("option", words);
    option.value = value;
    return option;
  }));
  if (options.some(([value]) => value === wanted)) select.value = wanted;
};
const nameOf = pair => data.patients[pair[0]].join("/");
const short = words => words.split(":")[0];
const trialNow = () => data.trials.find(trial => trial[0] === byId("trial").value);

function pickTrial(wanted) {
  fill(byId("trial"), data.trials.map(trial => [trial[0], trial[0] + " " + text(trial[1])]), wanted);
}
function pickVerdict(wanted) {
  const counts = new Map();
  for (const pair of trialNow()[3]) counts.set(pair[1], (counts.get(pair[1]) || 0) + 1);
  const options = [...counts].map(([verdict, count]) => [String(verdict), short(text(verdict)) + " (" + count + ")"]);
  fill(byId("verdict"), [["", "any (" + trialNow()[3].length + ")"], ...options], wanted);
}
function pickPatient(wanted) {
  const verdict = byId("verdict").value;
  const pairs = trialNow()[3].filter(pair => verdict === "" || String(pair[1]) === verdict);
  fill(byId("patient"), pairs.map(pair => [nameOf(pair), nameOf(pair) + ": " + short(text(pair[1]))]), wanted);
}
// The words that the condition was read from, marked within their sentence.
function sentence(words, quote) {
  const cell = make("td");
  const start = quote ? words.indexOf(quote) : -1;
  if (start < 0 || quote.length === words.length) cell.textContent = words;
  else cell.append(words.slice(0, start), make("mark", quote), words.slice(start + quote.length));
  return cell;
}
function show() {
  const out = byId("out"), trial = trialNow();
  const pair = trial[3].find(one => nameOf(one) === byId("patient").value);
  out.replaceChildren();
  if (!pair) return;
  const [, verdict, failing, met, notMet, unknown, day, isIndex, open, answers] = pair;
  const head = make("dl");
  const told = [
    ["Patient", nameOf(pair)], ["Trial", trial[0] + " " + text(trial[1])], ["Verdict", text(verdict)],
    ["As of", (text(day) || "no known day") + (isIndex ? ", the day of index" : ", the last day seen, for there is no index therapy")],
    ["Criteria", met + " satisfied, " + notMet + " violated, " + unknown + " unknown"],
  ];
  for (const [name, words] of told) head.append(make("dt", name), make("dd", words));
  out.append(head);
  const criteria = new Map(trial[2].map(one => [one[0], one]));
  const missing = open.map(place => answers.find(one => one[0] === place))
    .filter(one => one && ["missing", "imprecise"].includes(text(one[6])));
  if (missing.length) {
    out.append(make("h2", "What would decide it"));
    const list = make("ul");
    for (const one of missing) list.append(make("li", "criterion " + one[0] + ": " + text(one[2])));
    out.append(list);
  }
  let heading = null, body = null;
  for (const [place, passes, reason, value, source, quote, kind] of answers) {
    const [, isInclusion, part, words, isAlternative] = criteria.get(place);
    const title = (isInclusion ? "Inclusion criteria: all must be met" : "Exclusion criteria: none may be met") + (part < 0 ? "" : " (" + text(part) + ")");
    if (title !== heading) {
      heading = title;
      out.append(make("h2", title));
      const table = make("table", undefined, "criteria"), top = make("thead"), row = make("tr");
      for (const name of ["", "Protocol", "Passes", "What was asked", "The patient's records"]) row.append(make("th", name));
      top.append(row);
      body = make("tbody");
      table.append(top, body);
      out.append(table);
    }
    const row = make("tr");
    const protocol = sentence(text(words), text(quote));
    if (isAlternative) protocol.append(make("div", "one of several alternatives", "cell"));
    if (place === failing) { row.className = "excludes"; protocol.append(make("div", "excludes", "flag")); }
    const passed = passes === 1 ? make("td", "yes", "p yes") : passes === 0 ? make("td", "NO", "p no") : make("td", "?", "p open");
    if (passes < 0 && kind >= 0) passed.append(make("div", text(kind).replaceAll("_", " "), "cell"));
    const record = make("td", text(value) || (passes < 0 ? "nothing that answers it" : "no such record"));
    if (source >= 0) record.append(make("div", text(source), "cell"));
    row.append(make("td", String(place)), protocol, passed, make("td", text(reason)), record);
    body.append(row);
  }
  history.replaceState(null, "", "#" + encodeURIComponent(trial[0]) + "/" + encodeURIComponent(nameOf(pair)));
}
const asked = location.hash.slice(1).split("/").map(decodeURIComponent);
pickTrial(asked[0]);
pickVerdict("");
pickPatient(asked[1]);
show();
byId("trial").addEventListener("change", () => { pickVerdict(""); pickPatient(byId("patient").value); show(); });
byId("verdict").addEventListener("change", () => { pickPatient(byId("patient").value); show(); });
byId("patient").addEventListener("change", show);
"""
