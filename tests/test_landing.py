"""Landing keeps bytes by hash and says what is current."""

from pipeline.landing import Landing


def test_bytes_come_back_and_are_stored_once(tmp_path):
    landing = Landing(tmp_path, "registry")
    sha, size = landing.put(b"a" * 5_000_000)
    assert (landing.put([b"a" * 2_500_000] * 2)[0], size) == (sha, 5_000_000)
    assert landing.read(sha) == b"a" * 5_000_000
    assert [path.name for path in landing.blobs.rglob("*.zst")] == [f"{sha}.zst"]


def test_current_is_the_last_event_of_each_file(tmp_path):
    landing = Landing(tmp_path, "cohort")
    for name, event in [("a", "received"), ("b", "received"), ("a", "withdrawn"), ("b", "received")]:
        landing.record(source="s", name=name, sha256=f"{name}1", event=event)
    assert [entry.name for entry in landing.current("s")] == ["b"]


def test_a_line_torn_by_a_killed_run_costs_only_itself(tmp_path):
    landing = Landing(tmp_path, "cohort")
    landing.record(source="s", name="a", sha256="1")
    with landing.journal.open("ab") as journal:
        journal.write(b'{"time": "2026')
    landing.record(source="s", name="b", sha256="2")
    assert [entry.name for entry in landing.current()] == ["a", "b"]
    assert landing.journal.stat().st_mode & 0o777 == 0o600
