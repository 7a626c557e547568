"""The data dictionary of a release, read from its own comments: one HTML page and one CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
from jinja2 import Environment
from markupsafe import Markup

from pipeline.release.page import CONTENT_POLICY, STYLE

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<title>Remit data dictionary</title><style>{{ style }}</style></head><body>
<h1>Data dictionary</h1>
<p>{{ tables | length }} tables. Keys: <code>nct_id</code>; <code>cohort</code> + <code>patient_id</code>.</p>
<nav>{% for table in tables %}<a href="#{{ table.name }}">{{ table.name }}</a>{{ " · " if not loop.last }}{% endfor %}</nav>
{% for table in tables %}<h2 id="{{ table.name }}">{{ table.name }}</h2><p>{{ table.comment }}</p>
<table><thead><tr><th>column</th><th>type</th><th>null</th><th>description</th></tr></thead><tbody>
{% for c in table.columns %}<tr><td><code>{{ c.name }}</code></td><td>{{ c.type }}</td><td>{{ "yes" if c.is_nullable else "no" }}</td><td>{{ c.comment }}</td></tr>
{% endfor %}</tbody></table>{% endfor %}
</body></html>
"""


def write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write `index.html` and `dictionary.csv` for all tables of the open database into `folder`."""
    rows = connection.execute(
        """
        select c.schema_name || '.' || c.table_name, coalesce(t.comment, ''), c.column_name, c.data_type,
            c.is_nullable, coalesce(c.comment, '')
        from duckdb_columns() as c
        join duckdb_tables() as t on t.table_oid = c.table_oid and t.database_oid = c.database_oid
        where not c.internal
        order by 1, c.column_index
        """
    ).fetchall()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dictionary.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["table", "column", "type", "is_nullable", "description"])
        writer.writerows(
            (table, name, kind, nullable, comment) for table, _, name, kind, nullable, comment in rows
        )
    tables: dict[str, dict] = {}
    for table, text, name, kind, nullable, comment in rows:
        entry = tables.setdefault(table, {"name": table, "comment": text, "columns": []})
        entry["columns"].append(
            {"name": name, "type": kind.lower(), "is_nullable": nullable, "comment": comment}
        )
    page = Environment(autoescape=True).from_string(PAGE)
    html = page.render(tables=list(tables.values()), policy=CONTENT_POLICY, style=Markup(STYLE))
    (folder / "index.html").write_text(html, "utf-8")
