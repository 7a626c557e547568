"""The same dbt project on Apache Spark gives the same marts, table by table.

Needs Java and the Python of an environment with dbt-spark, named by SPARK_PYTHON (how to make one stands in
tests/support/spark_engine.py).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.installation import Installation

pytestmark = pytest.mark.long
ENGINE = Path(__file__).parents[1] / "support" / "spark_engine.py"


@pytest.mark.skipif(
    not os.environ.get("SPARK_PYTHON"),
    reason="SPARK_PYTHON names no Python with dbt-spark: see spark_engine.py",
)
def test_spark_builds_the_same_marts_from_the_same_lake(tmp_path):
    installation = Installation(tmp_path)
    installation.remit("run")
    process = subprocess.run(
        [os.environ["SPARK_PYTHON"], ENGINE, installation.home, tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    differences = json.loads(process.stdout.splitlines()[-1])
    assert differences.pop("")["tables"] > 80
    assert differences == {}
