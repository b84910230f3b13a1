"""Keyed hashes of what is counted."""

from formwarden.subjects import ClientSubjects, Subjects

DAY_S = 86_400.0
NOON = 20_000 * DAY_S + DAY_S / 2


def test_g20_a_client_has_another_key_every_day() -> None:
    subjects = ClientSubjects((b"secret",))
    today = subjects.keys("client", b"peer", now=NOON, window_s=60)
    tomorrow = subjects.keys("client", b"peer", now=NOON + DAY_S, window_s=60)
    assert len(today) == len(tomorrow) == 1
    assert today != tomorrow


def test_g20_a_question_is_asked_under_every_key_its_window_touches() -> None:
    subjects = ClientSubjects((b"secret",))
    days = [subjects.keys("client", b"peer", now=NOON - day * DAY_S, window_s=60)[0] for day in range(8)]
    assert subjects.keys("client", b"peer", now=NOON, window_s=2 * DAY_S) == tuple(days[:3])
    assert subjects.keys("client", b"peer", now=NOON, window_s=100 * DAY_S) == tuple(days)


def test_a_window_over_midnight_touches_two_days() -> None:
    subjects = ClientSubjects((b"secret",))
    assert len(subjects.keys("client", b"peer", now=20_000 * DAY_S + 30, window_s=60)) == 2


def test_g20_an_inquiry_keeps_its_client_under_the_keys_of_every_day_its_hold_reaches_into() -> None:
    subjects = ClientSubjects((b"secret",))
    facts = subjects.facts(client=b"peer", network=None, now=NOON, hold_s=3 * DAY_S)
    assert set(facts) == {"client"}
    kept = facts["client"]
    assert isinstance(kept, list)
    for day in range(4):
        (key,) = subjects.keys("client", b"peer", now=NOON + day * DAY_S, window_s=60)
        assert key.hex() in kept


def test_every_secret_key_names_a_client_newest_first() -> None:
    both = ClientSubjects((b"new", b"old")).keys("client", b"peer", now=NOON, window_s=60)
    assert both == (
        *ClientSubjects((b"new",)).keys("client", b"peer", now=NOON, window_s=60),
        *ClientSubjects((b"old",)).keys("client", b"peer", now=NOON, window_s=60),
    )


def test_g20_an_older_key_keeps_its_name_when_a_newer_one_comes() -> None:
    before = Subjects((b"first",)).keys("address", "a@example.com")
    after = Subjects((b"second", b"first")).keys("address", "a@example.com")
    assert after[1] == before[0]
    assert after[0][0] != after[1][0]


def test_kinds_and_values_do_not_run_into_each_other() -> None:
    subjects = Subjects((b"key",))
    assert subjects.keys("form", "a") != subjects.keys("address", "a")
    assert subjects.keys("form", "a") != subjects.keys("forma", "")
    assert subjects.keys("form", "a") == subjects.keys("form", b"a")


def test_a_subject_holds_nothing_of_what_it_names() -> None:
    (key,) = Subjects((b"key",)).keys("address", "somebody@example.com")
    assert len(key) == 17
    assert b"somebody" not in bytes(key)


def test_half_a_surrogate_pair_can_be_named_too() -> None:
    assert Subjects((b"key",)).keys("address", "\ud800@example.com")
