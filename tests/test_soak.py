"""The same tests scale by one variable."""

import pytest

from tests.soak import runs, whole


@pytest.mark.parametrize(("value", "expected"), [(None, 5), ("", 5), ("0", 5), ("quick", 50), ("1", 500)])
def test_runs_scale_with_one_variable(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: int) -> None:
    monkeypatch.delenv("SOAK", raising=False)
    if value is not None:
        monkeypatch.setenv("SOAK", value)
    assert runs(5, 500) == expected


def test_a_misspelt_size_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAK", "qick")
    with pytest.raises(ValueError, match="qick"):
        runs(5, 500)


@pytest.mark.parametrize(("value", "expected"), [(None, 5), ("0", 5), ("1", 500)])
def test_what_no_soak_has_time_for_is_asked_for_by_itself(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: int
) -> None:
    monkeypatch.delenv("WHOLE", raising=False)
    if value is not None:
        monkeypatch.setenv("WHOLE", value)
    assert whole(5, 500) == expected
