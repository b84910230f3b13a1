"""The bench measures what it says, however little it is given to do."""

import json

import pytest

from bench import seven_limits, stores
from bench.__main__ import BENCHES, main
from bench.figures import Goal, rows_of, table
from bench.overhttp import available
from tests.browser import found_chromium

SMALL = ("--rounds", "1", "--http-rounds", "1", "--share", "0.05", "--seconds", "1")


def measured(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[tuple[str, str], dict[str, object]]:
    assert main([*SMALL, "--json", *arguments]) == 0
    rows = json.loads(capsys.readouterr().out)
    return {(row["what"], row["site"]): row for row in rows}


def test_an_unguarded_page_is_measured_beside_the_bare_one(capsys: pytest.CaptureFixture[str]) -> None:
    rows = measured(capsys, "--only", "unguarded")
    assert [site for _, site in rows] == ["bare", "no-op", "formwarden"]
    assert all(float(str(row["figure"])) > 0 for row in rows.values())


def test_every_post_measured_is_a_new_inquiry_that_runs_the_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    rows = measured(capsys, "--only", "post")
    assert len(rows) == 9
    notes = [str(row["note"]).split() for (_, site), row in rows.items() if site == "formwarden"]
    assert [ran for ran, _, sent, *_ in notes if ran != sent] == []


@pytest.mark.slow
def test_import_and_memory_are_measured_in_processes_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    rows = measured(capsys, "--only", "import", "--only", "memory")
    assert {site for _, site in rows} == {"starlette.applications", "formwarden", "bare", "reading"}


@pytest.mark.slow
def test_posts_over_http_are_new_inquiries_too(capsys: pytest.CaptureFixture[str]) -> None:
    if available() is not None:
        pytest.skip(f"posts over HTTP are not measured: {available()}")
    rows = measured(capsys, "--only", "post-http", "--body", "urlencoded 1 KB")
    ran, _, sent = str(rows["POST urlencoded 1 KB over HTTP", "formwarden"]["note"]).split("; ")[1].split()[:3]
    assert int(ran) >= int(sent) > 0


def test_a_reservation_is_measured_beside_a_bare_upsert_of_the_same_durability(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = measured(capsys, "--only", "reserve")
    assert [site for _, site in rows] == ["bare", "reservation"] * 2
    assert all(float(str(row["ratio"])) > 1 for (_, site), row in rows.items() if site == "reservation")


@pytest.mark.browser
@pytest.mark.slow
def test_the_work_that_a_page_may_ask_for_is_done_in_a_real_worker(capsys: pytest.CaptureFixture[str]) -> None:
    found_chromium()
    rows = measured(capsys, "--only", "work")
    figures = {site: float(str(row["figure"])) for (_, site), row in rows.items()}
    assert list(figures) == ["worker", "page", "page, processor 4 times slower"]
    assert all(each > 0 for each in figures.values())


@pytest.mark.slow
def test_look_ups_are_measured_against_a_name_server_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    rows = measured(capsys, "--only", "addresses")
    assert len(rows) == 15
    assert rows["500 submissions of one domain", "formwarden"]["figure"] == 1
    assert all(float(str(row["figure"])) > 0 for row in rows.values())


@pytest.mark.slow
def test_upserts_are_measured_beside_a_server_and_observations_in_four_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if stores.available() is not None:
        pytest.skip(f"upserts are not measured: {stores.available()}")
    rows = measured(capsys, "--only", "upsert", "--only", "observe")
    assert [site for _, site in rows] == ["redis-py asyncio", "our file", "p50", "p99", "p99.9", "longest"]
    assert all(float(str(row["figure"])) > 0 for row in rows.values())


@pytest.mark.slow
def test_a_decision_is_measured_beside_seven_limits_on_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    if seven_limits.available() is not None:
        pytest.skip(f"limits are not measured: {seven_limits.available()}")
    rows = measured(capsys, "--only", "limits")
    assert [site for _, site in rows] == ["limits, sliding windows", "limits, fixed windows", "formwarden"] * 2
    assert all(float(str(row["figure"])) > 0 for row in rows.values())


def test_a_large_store_is_filled_and_measured_beside_a_small_one(capsys: pytest.CaptureFixture[str]) -> None:
    rows = measured(capsys, "--only", "rows", "--rows", "3000")
    assert [site for _, site in rows] == ["300 rows", "3,000 rows"] * 2
    assert all(float(str(row["figure"])) > 0 for row in rows.values())


def test_a_goal_that_is_missed_is_printed_as_missed() -> None:
    rounds = [{"bare": 10.0, "ours": 11.0}, {"bare": 20.0, "ours": 30.0}]
    rows = rows_of("a page", "µs", rounds, goals={"ours": Goal(bound=1.2)})
    assert (rows[1].figure, rows[1].ratio, rows[1].ratio_high) == (20.5, 1.3, 1.5)
    assert "| ≤ 1.2 | missed |" in table(rows)
    assert Goal(bound=0.9, at_least=True) != Goal(bound=0.9)


def test_help_names_every_bench_and_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert "examples:" in told
    assert all(bench in told for bench in BENCHES)
