"""Study documents to the registry's lake: speed, memory and growth, against DuckDB's bare scan and the usual way.

`python -m benchmarks.registry_lake [--studies 4000] [--records FOLDER]` replicates recorded studies under new ids into
API pages of 1,000, lands them, and measures in processes of their own:

- `load`: landed bytes to validated Parquet, criteria, epochs, kinds and change feed included;
- `scan`: DuckDB reads the same landed bytes with the same declared structure and keeps nothing;
- `scan into memory`: the same, the result held as one table;
- `usual way`: Python's json and pandas' json_normalize, one page after another, every list of the record as a table, its
  first level only, to Parquet, over a part of the same pages. It reads no criteria, checks nothing and parses no number.

50,000 studies of the real records are 1 GB and take minutes; the default is small.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import duckdb

from pipeline.landing import Landing
from pipeline.registry import schemas, structure
from pipeline.registry.load import load
from pipeline.registry.snapshot import SnapshotSource

PROJECT = Path(__file__).resolve().parents[1]
PAGE = 1000
USUAL_PAGES = 2
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
            size = replicate(records, studies, root / "pages")
            landed = measured(_land, root)
            ours = measured(_load, root)
            walls.append(ours)
            print(
                f"{studies:,} studies, {size / 1e6:,.0f} MB of JSON in pages of {PAGE:,}; {os.cpu_count()} cores"
            )
            print(f"{'':18} {'s':>8} {'CPU s':>8} {'studies/s':>10} {'MB/s':>8} {'peak GB':>8}")
            _line("pull into landing", landed, studies, size)
            _line("load", ours, studies, size)
            if studies != sizes[-1]:
                shutil.rmtree(root)
                continue
            scan, kept = measured(_scan, root), measured(_scan_into_memory, root)
            _line("scan", scan, studies, size)
            _line("scan into memory", kept, studies, size)
            some = min(studies, USUAL_PAGES * PAGE)
            usual = measured(_usual_way, root)
            _line(f"usual way, {some:,}", usual, some, size * some // studies)
            rate = some / usual.wall
            print(
                f"load against scan: {scan.wall / ours.wall:.2f} of its rate by the clock, {scan.cpu / ours.cpu:.2f} by "
                f"CPU; against the scan into memory {kept.wall / ours.wall:.2f} and {kept.cpu / ours.cpu:.2f}; "
                f"{studies / ours.wall / rate:.1f} × the usual way"
            )
        if len(walls) == 2:
            print(
                f"twice the studies take {walls[1].wall / walls[0].wall:.2f} × the time, {walls[1].cpu / walls[0].cpu:.2f} × the CPU"
            )


def _line(what: str, cost: Cost, studies: int, size: int) -> None:
    print(
        f"{what:18} {cost.wall:8.1f} {cost.cpu:8.1f} {studies / cost.wall:10,.0f} {size / 1e6 / cost.wall:8.1f} "
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


def replicate(records: list[str], studies: int, folder: Path) -> int:
    """Write so many studies as API pages; give the bytes written."""
    folder.mkdir(parents=True)
    size = 0
    for start in range(0, studies, PAGE):
        page = (
            records[n % len(records)].replace("\x00", f"NCT{10_000_000 + n:08d}")
            for n in range(start, min(studies, start + PAGE))
        )
        content = ('{"studies":[' + ",".join(page) + "]}").encode()
        (folder / f"page-{start // PAGE:05d}.json").write_bytes(content)
        size += len(content)
    return size


def measured(function: Callable[[Path], None], root: Path) -> Cost:
    """Run it in a process of its own, imports not counted."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_cost, function, root).result()


def _cost(function: Callable[[Path], None], root: Path) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    function(root)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return Cost(time.perf_counter() - wall, time.process_time() - cpu, peak)


def _land(root: Path) -> None:
    SnapshotSource(root / "pages").pull(Landing(root / "landing", "registry"))


def _load(root: Path) -> None:
    landing = Landing(root / "landing", "registry")
    load(landing, root / "lake" / "registry", sources=["snapshot"], snapshot_id="benchmark")


def _reader(root: Path) -> str:
    landing = Landing(root / "landing", "registry")
    entries = landing.current("snapshot")
    files = ", ".join(f"'{landing.blob(entry.sha256)}'" for entry in entries)
    largest = max(16 << 20, *(entry.bytes + 1024 for entry in entries))
    return (
        f"read_json([{files}], format = 'unstructured', compression = 'zstd', maximum_object_size = {largest}, "
        f"columns = {{studies: '{structure.duckdb_type()}[]', nextPageToken: 'VARCHAR', totalCount: 'VARCHAR'}})"
    )


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    return connection


def _scan(root: Path) -> None:
    _connect().execute(f"select sum(len(studies)) from {_reader(root)}").fetchall()


def _scan_into_memory(root: Path) -> None:
    _connect().execute(f"create table studies as select unnest(studies) as study from {_reader(root)}")


def _usual_way(root: Path) -> None:
    import pandas as pd

    target = root / "usual"
    target.mkdir()
    for path in sorted((root / "pages").iterdir())[:USUAL_PAGES]:
        studies = json.loads(path.read_text(encoding="utf-8"))["studies"]
        pd.json_normalize(studies).astype(str).to_parquet(target / f"{path.stem}-studies.parquet")
        for name in USUAL_LISTS:
            having = [study for study in studies if _has(study, name.split("."))]
            if not having:
                continue
            frame = pd.json_normalize(
                having,
                record_path=name.split("."),
                meta=[["protocolSection", "identificationModule", "nctId"]],
                errors="ignore",
            )
            frame.astype(str).rename(columns=str).to_parquet(target / f"{path.stem}-{name}.parquet")


def _has(node: dict, path: list[str]) -> bool:
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return bool(node)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
