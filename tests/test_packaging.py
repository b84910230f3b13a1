"""What is installed is what the design lists, and the wheel holds everything that runs."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "src" / "formwarden"
CORE: Final = {  # nothing else is installed with the core
    "aiosmtplib",
    "apsw",
    "dnspython",
    "email-validator",
    "itsdangerous",
    "publicsuffixlist",
    "pydantic-settings",
    "python-multipart",
    "starlette",
}
SHIPPED: Final = ("py.typed", "*.toml", "*.sql", "*.js", "*.css", "*.html", "*.svg", "*.woff2")


def project() -> dict[str, object]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(table, dict)
    return table


def names(requirements: object) -> list[str]:
    assert isinstance(requirements, list)
    return [re.split(r"[\[<>=!~; ]", each, maxsplit=1)[0] for each in requirements]


def test_the_core_needs_what_the_design_lists_and_nothing_else() -> None:
    found = names(project()["dependencies"])
    assert set(found) == CORE
    assert len(found) == len(CORE)


def test_every_dependency_has_a_lower_bound_and_no_upper_one() -> None:
    listed = project()["dependencies"]
    assert isinstance(listed, list)
    assert [each for each in listed if ">=" not in each or "<" in each or "==" in each] == []


def test_the_package_is_mit_typed_and_for_python_3_11() -> None:
    assert project()["license"] == "MIT"
    assert project()["requires-python"] == ">=3.11"
    assert "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_command_is_installed() -> None:
    assert project()["scripts"] == {"formwarden": "formwarden.cli:main"}


def test_the_wheel_holds_code_and_data_and_nothing_else(tmp_path: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("needs hatchling, to build without a network: pip install hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(PACKAGE.parent).as_posix()
        for pattern in ("*.py", *SHIPPED)
        for path in PACKAGE.rglob(pattern)
    }
    assert held == wanted
    assert {"formwarden/py.typed", "formwarden/data/providers.toml"} <= held
