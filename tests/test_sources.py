"""The environment, `.env` and `formwarden.toml`, each as people really leave it."""

from pathlib import Path

import pytest

from formwarden.errors import SettingsError
from formwarden.settings import Settings
from formwarden.sources import outside, where


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def faults_of_settings() -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        Settings()
    return refused.value.faults


def test_a_folder_without_files_says_nothing(folder: Path) -> None:
    assert list(folder.iterdir()) == []
    assert [(dict(source.values), source.faults) for source in outside()] == [({}, ())] * 3


def test_the_environment_wins_over_dotenv_and_dotenv_over_toml(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "formwarden.toml").write_text("site_per_day = 1\nmax_urls = 1\nbody_limit = 1\n")
    (folder / ".env").write_text("FORMWARDEN_SITE_PER_DAY=2\nexport FORMWARDEN_MAX_URLS='2'\n")
    monkeypatch.setenv("FORMWARDEN_SITE_PER_DAY", "3")
    settings = Settings()
    assert (settings.mail.site_per_day, settings.signals.max_urls, settings.web.body_limit) == (3, 2, 1)
    assert settings.origins["site_per_day"] == "environment"
    assert settings.origins["max_urls"] == ".env"
    assert settings.origins["body_limit"] == "formwarden.toml"


def test_the_sites_own_names_in_dotenv_are_not_ours(folder: Path) -> None:
    (folder / ".env").write_text("MODE=production\nSITE_DOMAIN=x\nPATH_X=1\nFORMWARDEN_MODE=monitor\nLONE\n")
    assert Settings().site.mode == "monitor"
    assert Settings().site.site_domain is None


@pytest.mark.parametrize("encoding", ["cp932", "euc-jp"])
def test_the_sites_own_dotenv_may_be_in_an_old_encoding(folder: Path, encoding: str) -> None:
    (folder / ".env").write_bytes("COMPANY=株式会社\nFORMWARDEN_MAX_URLS=7\n".encode(encoding))
    assert Settings().signals.max_urls == 7


def test_our_own_text_in_dotenv_must_be_utf8(folder: Path) -> None:
    (folder / ".env").write_bytes("FORMWARDEN_SITE_NAME=株式会社\nFORMWARDEN_MAX_URLS=7\n".encode("cp932"))
    assert faults_of_settings() == (".env FORMWARDEN_SITE_NAME: its text is not UTF-8; save the file as UTF-8",)


def test_a_byte_order_mark_hides_no_name(folder: Path) -> None:
    (folder / ".env").write_text("FORMWARDEN_SITE_NAME=株式会社\n", encoding="utf-8-sig")
    assert Settings().site.site_name == "株式会社"


def test_a_folder_named_dotenv_is_no_file_of_ours(folder: Path) -> None:
    (folder / ".env").mkdir()
    assert Settings().origins["mode"] == "default"


def test_an_empty_value_counts_as_not_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "formwarden.toml").write_text('smtp_url = "smtp://relay:25"\n')
    monkeypatch.setenv("FORMWARDEN_SMTP_URL", "")
    assert Settings().origins["smtp_url"] == "formwarden.toml"


@pytest.mark.parametrize(
    "name",
    ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_8000_TCP", "PORT_8000_TCP_ADDR"],
)
def test_what_kubernetes_puts_beside_a_service_called_formwarden_is_no_setting(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert folder.exists()
    monkeypatch.setenv(f"FORMWARDEN_{name}", "tcp://10.0.0.1:8000")
    assert Settings() == Settings.only()


def test_broken_toml_is_named_by_line_and_quotes_nothing(folder: Path) -> None:
    (folder / "formwarden.toml").write_text('mode = "monitor"\nsecret_keys = hunter2\n')
    (fault,) = faults_of_settings()
    assert fault.startswith("formwarden.toml: is no TOML:")
    assert "line 2" in fault
    assert "hunter2" not in fault


def test_toml_in_an_old_encoding_is_refused_in_words(folder: Path) -> None:
    (folder / "formwarden.toml").write_bytes('site_name = "株式会社"\n'.encode("cp932"))
    assert faults_of_settings() == ("formwarden.toml: its text is not UTF-8; save the file as UTF-8",)


@pytest.mark.parametrize("name", [".env", "formwarden.toml"])
def test_a_file_that_cannot_be_opened_is_refused_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real = Path("/proc/self/mem")  # opens, and refuses to be read: root reads every mode
    if not real.exists():
        pytest.skip("needs a file that even root cannot read: /proc/self/mem of Linux")
    (folder / name).symlink_to(real)
    monkeypatch.chdir(folder)
    (fault,) = faults_of_settings()
    assert fault.startswith(f"{name}: cannot be read (")


def test_a_place_is_named_as_the_person_who_set_it_knows_it() -> None:
    assert where("environment", "site_per_day") == "environment FORMWARDEN_SITE_PER_DAY"
    assert where("formwarden.toml", "site_per_day") == "formwarden.toml site_per_day"


def test_what_a_source_holds_is_not_in_its_repr(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder.exists()
    monkeypatch.setenv("FORMWARDEN_SECRET_KEYS", "hunter2")
    assert "hunter2" not in repr(outside())
