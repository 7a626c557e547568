"""The rooms of the house: who may import whom, and what may be read where."""

import ast
import re

import pytest


def modules(project):
    for path in sorted((project / "pipeline").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        names = {
            name
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        yield path.relative_to(project / "pipeline").as_posix(), tree, names


def importers(project, package):
    return {
        place
        for place, _, names in modules(project)
        if any(name == package or name.startswith(package + ".") for name in names)
    }


def test_only_defs_import_dagster(project):
    allowed = re.compile(r"^(defs/|definitions\.py$)")
    found = importers(project, "dagster") | importers(project, "dagster_dbt")
    assert {place for place in found if not allowed.match(place)} == set()


def test_registry_and_cohort_never_import_each_other(project):
    assert {
        place for place in importers(project, "pipeline.cohort") if place.startswith("registry/")
    } == set()
    assert {
        place for place in importers(project, "pipeline.registry") if place.startswith("cohort/")
    } == set()


def test_only_defs_and_the_command_line_import_release(project):
    allowed = re.compile(r"^(defs/|release/|cli\.py$|definitions\.py$)")
    assert {place for place in importers(project, "pipeline.release") if not allowed.match(place)} == set()


def test_only_settings_read_the_environment(project):
    # The manifest module sets dbt's variables for a block and puts back what was there; the page's start sets DAGSTER_HOME.
    allowed = {"settings.py", "defs/manifest.py", "cli.py"}
    users = {
        place
        for place, tree, _ in modules(project)
        if any(
            isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") for node in ast.walk(tree)
        )
    }
    assert users <= allowed


def test_every_module_says_what_belongs_in_it(project):
    silent = {place for place, tree, _ in modules(project) if not ast.get_docstring(tree)}
    assert silent == set()


@pytest.mark.parametrize(
    "pattern",
    [r"(^|[^A-Za-z0-9_])/(work|farm|root)/", r"https?://(?!clinicaltrials\.gov)[^\s\"']*(pypi|simple)"],
)
def test_no_machine_path_or_index_host_is_committed(project, pattern):
    import subprocess

    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=project, capture_output=True, text=True, check=False
    ).stdout
    files = [name for name in listed.split("\0") if name]
    if not files:
        pytest.skip("not a git checkout")
    wrong = []
    for name in files:
        path = project / name
        if (
            path.suffix in {".csv", ".xlsx", ".png"}
            or not path.is_file()
            or path.name == "test_architecture.py"
        ):
            continue
        if re.search(pattern, path.read_text("utf-8", errors="replace")):
            wrong.append(name)
    assert wrong == []


def test_fractions_in_sql_are_doubles(project):
    """A bare 365.25 is a decimal on Spark and rounds what it divides; 365.25e0 is a double on both engines."""
    comment = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
    fraction = re.compile(r"(?<![\w.'])\d+\.\d+(?![\w.])")
    found = {
        path.name: fraction.findall(comment.sub("", path.read_text("utf-8")))
        for folder in ("models", "macros", "tests")
        for path in (project / "dbt_project" / folder).rglob("*.sql")
    }
    assert {name: numbers for name, numbers in found.items() if numbers} == {}
