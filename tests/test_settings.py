"""remit.toml and the environment become settings; what is wrong is said in one line with the remedy."""

import pytest

from pipeline import settings
from pipeline.errors import SettingsError
from pipeline.settings import SAMPLE_COHORTS


def write(tmp_path, text):
    (tmp_path / "remit.toml").write_text(text)
    return tmp_path


def test_the_shipped_file_says_what_the_code_assumes(project):
    assert settings.load(project).public() == settings.load(project / "examples").public()


def test_environment_wins_over_the_file_and_arguments_over_both(tmp_path, monkeypatch):
    root = write(tmp_path, '[registry]\nsource = "here"\n')
    assert settings.load(root).registry_path == tmp_path / "here"
    monkeypatch.setenv("REMIT_REGISTRY", "live")
    assert settings.load(root).registry_path is None
    monkeypatch.chdir(tmp_path)
    assert settings.load(root, registry__source="there").registry_path == tmp_path / "there"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[registry\n", "cannot be read"),
        ("[registry]\npage_size = 0\n", "registry.page_size"),
        ("[registry]\npage_sise = 10\n", "registry.page_sise"),
        ('[schedule]\ntimezone = "Mars/Olympus"\n', "Europe/Berlin"),
        ('pseudonym_key = "x"\n', "REMIT_PSEUDONYM_KEY"),
        ("registry = 3\n", "registry"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, text, message):
    with pytest.raises(SettingsError, match=message) as raised:
        settings.load(write(tmp_path, text))
    assert "\n" not in str(raised.value)


def test_secrets_are_neither_shown_nor_hashed(tmp_path, monkeypatch):
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", "open sesame")
    loaded = settings.load(tmp_path)
    assert "sesame" not in repr(loaded)
    assert "sesame" not in str(loaded.public())


def test_the_home_s_own_inbox_replaces_the_sample(tmp_path, monkeypatch):
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    loaded = settings.load(tmp_path)
    assert loaded.cohorts_path == tmp_path / SAMPLE_COHORTS
    assert loaded.is_sample_cohort
    (tmp_path / "home" / "inbox" / "site_a").mkdir(parents=True)
    (tmp_path / "home" / "inbox" / "site_a" / "edss.csv").write_text("patient_id\n")
    assert loaded.cohorts_path == tmp_path / "home" / "inbox"
    assert not loaded.is_sample_cohort


def test_a_nearly_full_disk_is_refused_before_anything_starts(tmp_path, monkeypatch):
    from collections import namedtuple

    from pipeline.errors import HomeError
    from pipeline.home import Home

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9 - 10**7, 10**7))
    with pytest.raises(HomeError, match="only 10 MB are free"):
        Home(tmp_path / "home").create().require_space()
