"""Study documents to the registry's lake: speed, memory and growth, against DuckDB's bare scan and the usual way.

`python -m benchmarks.registry_lake [--studies 4000] [--records FOLDER] [--layout pages|files|zip|tar.gz]` replicates
recorded studies under new ids, lands them, and measures in processes of their own:

- `load`: landed bytes to validated Parquet, criteria, epochs, kinds and change feed included;
- `load again`: the same after a pull that brought one more study, the nightly case;
- `scan`: DuckDB reads the same landed bytes with the same declared structure and keeps nothing;
- `scan into memory`: the same, the result held as one table;
- `usual way`: Python's json and pandas' json_normalize, one file after another, to Parquet, over a part of the same
  files. `first level` takes every list of the record at its first level, what lies deeper stays text in a cell;
  `all tables` has the rows of our 26 tables that come from the record. Neither reads criteria or time frames, checks
  anything or parses a number.

`pages` are API pages of 1,000 studies, `files` one study a file, the others an archive of such files. Of a real
registry every study has criteria of its own: 257 records replicated have 257 criteria texts, and a load reads each
once; `benchmarks.eligibility_text` measures texts that are all different. 80,000 studies of the real records are
1.6 GB and take minutes; the default is small.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import resource
import shutil
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import duckdb

from benchmarks import cpu_seconds
from pipeline.landing import Landing
from pipeline.registry import schemas, structure
from pipeline.registry.load import load
from pipeline.registry.snapshot import SnapshotSource

PROJECT = Path(__file__).resolve().parents[1]
PAGE = 1000
USUAL_PAGES = 2
USUAL_FILES = 200
# Every list of the record that our tables read, at its first level: what lies deeper stays text in a cell.
USUAL_LISTS = tuple(
    dict.fromkeys(
        f"{structure.MODULES[source.levels[0][1].split('.')[0]]}.{source.levels[0][1]}"
        for table in schemas.TABLES.values()
        for source in table.sources
        if source.levels
    )
)


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of all cores, and the process's peak memory."""

    wall: float
    cpu: float
    peak_gb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; `arguments` as on the command line (default: none, the short run)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    real = PROJECT.parent / "shared" / "registry" / "studies"
    parser.add_argument(
        "--records", type=Path, default=real if real.is_dir() else PROJECT / "examples" / "registry"
    )
    parser.add_argument("--studies", type=int, default=4000)
    parser.add_argument("--layout", choices=("pages", "files", "zip", "tar.gz"), default="pages")
    parser.add_argument(
        "--no-doubling", action="store_true", help="leave out the run with half of the studies"
    )
    given = parser.parse_args([] if arguments is None else arguments)
    records = recorded(given.records)
    sizes = [given.studies] if given.no_doubling else [given.studies // 2, given.studies]
    walls = []
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as name:
        for studies in sizes:
            root = Path(name) / str(studies)
            size = replicate(records, studies, root, given.layout)
            landed = measured(_land, root)
            ours = measured(_load, root)
            walls.append(ours)
            print(
                f"{studies:,} studies, {size / 1e6:,.0f} MB of JSON as {given.layout}; {os.cpu_count()} cores"
            )
            print(f"{'':26} {'s':>8} {'CPU s':>8} {'studies/s':>10} {'MB/s':>8} {'peak GB':>8}")
            _line("pull into landing", landed, studies, size)
            _line("load", ours, studies, size)
            if studies != sizes[-1]:
                shutil.rmtree(root)
                continue
            replicate(records, 1, root, "files", first=studies)
            _land(root)
            _line("load again", measured(_load, root), studies, size)
            scan, kept = measured(_scan, root), measured(_scan_into_memory, root)
            _line("scan", scan, studies, size)
            _line("scan into memory", kept, studies, size)
            print(
                f"load against scan: {scan.wall / ours.wall:.2f} of its rate by the clock, {scan.cpu / ours.cpu:.2f} by "
                f"CPU; against the scan into memory {kept.wall / ours.wall:.2f} and {kept.cpu / ours.cpu:.2f}"
            )
            if given.layout in ("pages", "files"):
                some = min(studies, USUAL_PAGES * PAGE if given.layout == "pages" else USUAL_FILES)
                for name, way in (("first level", _usual_first_level), ("all tables", _usual_all_tables)):
                    usual = measured(way, root)
                    _line(f"usual way, {name}, {some:,}", usual, some, size * some // studies)
                    print(
                        f"load against it: {usual.wall * studies / some / ours.wall:.1f} × its rate by the clock, "
                        f"{usual.cpu * studies / some / ours.cpu:.1f} by CPU"
                    )
        if len(walls) == 2:
            print(
                f"twice the studies take {walls[1].wall / walls[0].wall:.2f} × the time, {walls[1].cpu / walls[0].cpu:.2f} × the CPU"
            )


def _line(what: str, cost: Cost, studies: int, size: int) -> None:
    print(
        f"{what:26} {cost.wall:8.1f} {cost.cpu:8.1f} {studies / cost.wall:10,.0f} {size / 1e6 / cost.wall:8.1f} "
        f"{cost.peak_gb:8.2f}",
        flush=True,
    )


def recorded(folder: Path) -> list[str]:
    """The studies of a folder as JSON texts with a mark where the id stood, in the registry's compact form."""
    found = []
    for path in sorted(folder.iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            studies = [json.loads(line) for line in text.splitlines() if line.strip()]
        elif path.suffix == ".json":
            document = json.loads(text)
            studies = document if isinstance(document, list) else document.get("studies", [document])
        else:
            continue
        for study in studies:
            nct_id = study["protocolSection"]["identificationModule"]["nctId"]
            found.append(json.dumps(study, ensure_ascii=False, separators=(",", ":")).replace(nct_id, "\x00"))
    return found


def replicate(records: list[str], studies: int, root: Path, layout: str, first: int = 0) -> int:
    """Write so many studies as `layout` below `root/pages`; give the bytes of JSON."""
    folder = root / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    texts = (
        (
            f"NCT{10_000_000 + n:08d}",
            records[n % len(records)].replace("\x00", f"NCT{10_000_000 + n:08d}").encode(),
        )
        for n in range(first, first + studies)
    )
    size = 0
    if layout == "pages":
        for number in range(-(-studies // PAGE)):
            page = [content for _, content in itertools.islice(texts, PAGE)]
            content = b'{"studies":[' + b",".join(page) + b"]}"
            (folder / f"page-{number:05d}.json").write_bytes(content)
            size += len(content)
        return size
    with contextlib.ExitStack() as stack:
        write = _writer(stack, folder, layout)
        for nct_id, content in texts:
            write(f"{nct_id[:7]}xxxx/{nct_id}.json", content)
            size += len(content)
    return size


def _writer(stack: contextlib.ExitStack, folder: Path, layout: str) -> Callable[[str, bytes], None]:
    if layout == "zip":
        archive = stack.enter_context(
            zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        )
        return archive.writestr
    if layout == "tar.gz":
        tar = stack.enter_context(tarfile.open(folder / "all.tar.gz", "w:gz", compresslevel=1))  # noqa: SIM115 (the stack closes it)

        def add(name: str, content: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
            tar.members.clear()

        return add

    def write(name: str, content: bytes) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    return write


def measured(function: Callable[[Path], None], root: Path) -> Cost:
    """Run it in a process of its own, imports not counted."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_cost, function, root).result()


def _cost(function: Callable[[Path], None], root: Path) -> Cost:
    wall, cpu = time.perf_counter(), cpu_seconds()
    function(root)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return Cost(time.perf_counter() - wall, cpu_seconds() - cpu, peak)


def _land(root: Path) -> None:
    SnapshotSource(root / "pages").pull(Landing(root / "landing", "registry"))


def _load(root: Path) -> None:
    landing = Landing(root / "landing", "registry")
    load(landing, root / "lake" / "registry", sources=["snapshot"], snapshot_id="benchmark")


def _reader(root: Path) -> str:
    """The landed documents as a relation, and the number of studies in a row of it."""
    landing = Landing(root / "landing", "registry")
    entries = landing.current("snapshot")
    pages = [entry for entry in entries if entry.details["form"].endswith("page")]
    files = ", ".join(f"'{landing.blob(entry.sha256)}'" for entry in pages or entries)
    largest = max(entry.bytes + 1024 for entry in entries)
    columns = (
        {"studies": f"{structure.duckdb_type()}[]", "nextPageToken": "VARCHAR", "totalCount": "VARCHAR"}
        if pages
        else {name: structure.duckdb_type(node) for name, node in structure.STUDY.items()}
    )
    declared = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return (
        f"read_json([{files}], format = 'unstructured', compression = 'zstd', maximum_object_size = {largest}, "
        f"columns = {{{declared}}})"
    )


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    return connection


def _scan(root: Path) -> None:
    reader = _reader(root)
    # Every column is asked for: what is not would not be read.
    counted = (
        "sum(len(studies))"
        if "studies" in reader
        else ", ".join(f'count("{name}")' for name in structure.STUDY)
    )
    _connect().execute(f"select {counted} from {reader}").fetchall()


def _scan_into_memory(root: Path) -> None:
    reader = _reader(root)
    item = "unnest(studies) as study" if "studies" in reader else "*"
    _connect().execute(f"create table studies as select {item} from {reader}")


def _usual_files(root: Path) -> Iterator[list[dict]]:
    """The studies of one file after another."""
    paths = sorted((root / "pages").rglob("*.json"))
    is_pages = paths[0].name.startswith("page-") or paths[-1].name.startswith("page-")
    for path in (
        [p for p in paths if p.name.startswith("page-")][:USUAL_PAGES] if is_pages else paths[:USUAL_FILES]
    ):
        document = json.loads(path.read_text(encoding="utf-8"))
        yield document["studies"] if is_pages else [document]


def _usual_first_level(root: Path) -> None:
    import pandas as pd

    found: dict[str, list] = {}
    for studies in _usual_files(root):
        found.setdefault("studies", []).append(pd.json_normalize(studies))
        for name in USUAL_LISTS:
            having = [study for study in studies if _has(study, name.split("."))]
            if having:
                frame = pd.json_normalize(
                    having,
                    record_path=name.split("."),
                    meta=[["protocolSection", "identificationModule", "nctId"]],
                    errors="ignore",
                )
                found.setdefault(name, []).append(frame)
    _usual_write(root, found)


def _usual_all_tables(root: Path) -> None:
    import pandas as pd

    found: dict[str, list] = {}
    for studies in _usual_files(root):
        found.setdefault("studies", []).append(pd.json_normalize(studies))
        for table in (*schemas.PROTOCOL, *schemas.RESULTS):
            rows = [row for source in table.sources if source.levels for row in _usual_rows(studies, source)]
            if rows:
                found.setdefault(table.name, []).append(pd.json_normalize(rows))
    _usual_write(root, found)


def _usual_rows(studies: list[dict], source: schemas.Source) -> Iterator[dict]:
    """The innermost items of a chain of lists, with the study's id and the plain values of the items around them."""
    steps = [path.split(".") for _, path in source.levels]
    steps[0] = [structure.MODULES[steps[0][0]], *steps[0]]
    for study in studies:
        level = [(study, {"nct_id": study["protocolSection"]["identificationModule"]["nctId"]})]
        for number, step in enumerate(steps):
            names = step if number == 0 else step[1:]
            level = [
                (item, around | _plain_values(item, f"{number}."))
                for node, around in level
                for item in _items(node, names)
            ]
        yield from (values for _, values in level)


def _items(node: object, names: list[str]) -> list:
    for name in names:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, list) else []


def _plain_values(item: object, prefix: str) -> dict:
    if not isinstance(item, dict):
        return {prefix + "value": item}
    return {prefix + name: value for name, value in item.items() if not isinstance(value, list)}


def _usual_write(root: Path, found: dict[str, list]) -> None:
    import pandas as pd

    target = root / "usual"
    target.mkdir(exist_ok=True)
    for name, frames in found.items():
        frame = pd.concat(frames)
        frame.astype(str).rename(columns=str).to_parquet(target / f"{name}.parquet")


def _has(node: dict, path: list[str]) -> bool:
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return bool(node)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
