"""The report of a release: a static page of tables and charts, made from the marts alone, no script in it.

Single patients stand on a page of their own beside it (explanations.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import duckdb
import polars as pl
import vl_convert
from jinja2 import Environment
from markupsafe import Markup

from pipeline.release import explanations
from pipeline.release.page import CONTENT_POLICY, STYLE


@dataclass(frozen=True)
class Section:
    """One part of the page: a query on the marts, told in `note`; `chart` draws its frame."""

    title: str
    note: str
    needs: tuple[str, ...]
    query: str
    chart: Callable[[pl.DataFrame], alt.Chart | alt.LayerChart] | None = None


def _arr_chart(frame: pl.DataFrame) -> alt.LayerChart:
    base = alt.Chart(frame).encode(y=alt.Y("epoch:N", title=None, sort=None))
    bars = base.mark_rule(strokeWidth=3, color="#8795a8").encode(
        x=alt.X("CI low:Q", title="relapses per patient-year (95 % CI)"), x2="CI high:Q"
    )
    points = base.mark_point(filled=True, size=70, color="#1f5fa8").encode(x="pooled ARR per year:Q")
    return (bars + points).properties(width=480, height=alt.Step(24))


SECTIONS = (
    Section(
        "What is in this release",
        "Counts of the main tables.",
        ("registry.studies", "cohort.patients", "quality.deliveries"),
        """
        select 'registered studies' as what, count(*) as n from registry.studies
        union all select 'of them with posted results', count(*) filter (where has_results) from registry.studies
        union all select 'cohorts', count(distinct cohort) from cohort.patients
        union all select 'patients', count(*) from cohort.patients
        union all select 'patients with an index therapy', count(*) filter (where index_date is not null) from outcomes.patients
        union all select 'spreadsheet rows delivered', cast(sum(rows_in) as bigint) from quality.deliveries
        union all select 'of them set aside', cast(sum(rows_rejected) as bigint) from quality.deliveries
        """,
    ),
    Section(
        "Annualized relapse rate",
        "All patients, on the default end rule. The pooled rate is relapses over person-years with its exact Poisson "
        "interval; the patient mean counts patients with at least 90 days. Without a control group a fall after index "
        "is expected from regression to the mean alone, above all where a group was chosen by a high rate.",
        ("outcomes.annualized_relapse_rates",),
        """
        select cohort, epoch, patients, relapses, round(person_years, 1) as "person-years",
            round(arr_pooled_per_year, 3) as "pooled ARR per year", round(ci95_low, 3) as "CI low", round(ci95_high, 3) as "CI high",
            n_patient_mean as n, round(arr_patient_mean_per_year, 2) as "mean of patients", round(sd, 2) as "SD", round(median, 2) as median
        from outcomes.annualized_relapse_rates
        where grouping = 'all' and end_rule = 'last_contact' and patients > 0
            and epoch in ('pre_index_24m', 'pre_index_12m', 'post_index', 'year_1', 'year_2', 'year_3')
        order by cohort, case when epoch like 'pre%' then 0 else 1 end, epoch
        """,
        _arr_chart,
    ),
    Section(
        "EDSS and MSSS by follow-up cohort",
        "Baseline and change at the last follow-up, in the form of the published slides.",
        ("outcomes.summary",),
        """
        select cohort, group_name as "group", metric, n, round(mean, 2) as mean, round(sd, 2) as "SD", round(median, 2) as median,
            round(min, 2) as min, round(max, 2) as max, improved, stable, worsened
        from outcomes.summary
        where grouping in ('all', 'prospective_cohort')
            and metric in ('age_at_index', 'follow_up_lunar_months', 'baseline_edss', 'edss_change', 'baseline_msss', 'msss_change')
            and coalesce(time_point, 'last') in ('baseline', 'index', 'last')
        order by cohort, "group", metric
        """,
    ),
    Section(
        "Trials and who of the cohort fits",
        "Verdicts of the registered criteria for every patient, as of the screening date. `eligible_on_evaluable`: "
        "nothing fails and all decisive criteria are met; what stays unknown is listed in trials.patient_criteria.",
        ("trials.patient_eligibility", "registry.studies"),
        """
        select e.cohort, e.nct_id, s.brief_title as title,
            count(*) filter (where verdict = 'eligible') as eligible,
            count(*) filter (where verdict = 'eligible_on_evaluable') as "eligible on evaluable",
            count(*) filter (where verdict = 'indeterminate') as indeterminate,
            count(*) filter (where verdict = 'ineligible') as ineligible
        from trials.patient_eligibility as e
        join registry.studies as s using (nct_id)
        group by all
        order by e.cohort, eligible + "eligible on evaluable" desc, e.nct_id
        limit 60
        """,
    ),
    Section(
        "Posted results beside the cohort",
        "Comparable pairs of a posted arm and the eligible part of the cohort.",
        ("trials.comparison",),
        """
        select nct_id, arm_title as arm, outcome_kind as outcome, epoch, trial_n as "trial n", round(trial_value, 3) as trial,
            cohort_n_eligible as "n eligible", cohort_n_eligible_on_evaluable as "n on evaluable", round(cohort_value, 3) as cohort
        from trials.comparison where is_comparable order by all limit 60
        """,
    ),
    Section(
        "What the clinic sent",
        "Every row of every sheet is accepted, set aside with a reason, or declared as not data.",
        ("quality.deliveries",),
        """
        select cohort, delivery_id as delivery, sheet, rows_in as "rows in", rows_accepted as accepted,
            rows_rejected as "set aside", rows_not_data as "not data"
        from quality.deliveries order by all limit 200
        """,
    ),
    Section(
        "Why rows were set aside",
        "Rules and counts; the values stand in the query list under private/ alone.",
        ("quality.rejected_rows",),
        """
        select cohort, sheet, column_name as "column", rule, count(*) as rows
        from quality.rejected_rows group by all order by rows desc, 1, 2, 3, 4 limit 100
        """,
    ),
    Section(
        "Published figures beside this cohort",
        "The slides' figures; doubtful ones contradict themselves in print.",
        ("outcomes.published_comparison",),
        """
        select analysis, group_name as "group", metric, statistic, published_value as published, is_doubtful as doubtful,
            round(cohort_value, 3) as cohort, cohort_n as n, status
        from outcomes.published_comparison where cohort_value is not null order by all limit 150
        """,
    ),
)

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Remit report</title><style>{{ style }}</style></head><body>
<h1>Remit report</h1>
{% if invented %}<p class="flag">Cohort {{ invented | join(", ") }}: invented patients, for trying Remit out. No number about it says anything of medicine.</p>{% endif %}
<p class="note">Keyed pseudonyms with exact dates are still personal data: this page shows groups only.
{% if patients %}Why a single patient fits a trial or not, criterion by criterion: <a href="{{ patients }}">patients and trials</a>.
{% endif %}Every table can be queried in <code>marts.duckdb</code>; the <a href="../dictionary/index.html">data dictionary</a> explains each column.</p>
{% for s in sections %}<h2>{{ s.title }}</h2><p class="note">{{ s.note }}</p>
{% if s.chart %}<div>{{ s.chart }}</div>{% endif %}
{% if s.rows %}<table><thead><tr>{% for c in s.columns %}<th>{{ c }}</th>{% endfor %}</tr></thead><tbody>
{% for row in s.rows %}<tr>{% for v in row %}<td{% if v is number %} class="n"{% endif %}>{{ "" if v is none else v }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>{% else %}<p>Nothing to show.</p>{% endif %}
{% endfor %}</body></html>
"""


def write(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Write the page for the open release database, and the page of single patients beside it.

    A section, or that page, whose tables are absent is left out.
    """
    tables = {
        row[0]
        for row in connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
    }
    sections = []
    for section in SECTIONS:
        if not set(section.needs) <= tables:
            continue
        frame = connection.sql(section.query).pl()
        sections.append(
            {
                "title": section.title,
                "note": section.note,
                "columns": frame.columns,
                "rows": frame.rows(),
                "chart": _svg(section.chart(frame)) if section.chart and frame.height else None,
            }
        )
    invented = []
    if "cohort.patients" in tables:
        invented = [
            row[0]
            for row in connection.execute(
                "select distinct cohort from cohort.patients where is_invented order by 1"
            ).fetchall()
        ]
    patients = file.with_name("patients_and_trials.html")
    has_patients = set(explanations.NEEDS) <= tables and explanations.write(connection, patients)
    page = Environment(autoescape=True).from_string(PAGE)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        page.render(
            sections=sections,
            invented=invented,
            policy=CONTENT_POLICY,
            style=Markup(STYLE),
            patients=patients.name if has_patients else None,
        ),
        "utf-8",
    )


def _svg(chart: alt.Chart | alt.LayerChart) -> Markup:
    # vl-convert draws text as escaped SVG text; nothing is fetched.
    return Markup(vl_convert.vegalite_to_svg(chart.to_dict()))
