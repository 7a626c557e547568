"""The example of docs/spreadsheets.md is a valid map."""

from __future__ import annotations

import re

from pipeline.cohort import mapping


def test_the_example_parses(project):
    text = (project / "docs" / "spreadsheets.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    parsed = mapping.parse(example)
    assert len(parsed.sheets) == 4
    assert parsed.rules == {"edss_jump": "off", "relapse_before_onset": "warning"}
