"""Every name is known once, and what is wrong is said without showing what was given."""

import pytest

from formwarden.catalogue import GROUP_OF, GROUPS, flatten
from formwarden.errors import SettingsError
from formwarden.mail.settings import Mail
from formwarden.settings import Settings
from formwarden.sources import Source


def refused(**values: object) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        Settings.only(**values)
    return error.value.faults


def test_no_two_settings_share_a_name() -> None:
    names = [name for kind in GROUPS.values() for name in kind.model_fields]
    assert [name for name in GROUP_OF if names.count(name) > 1] == [], "the environment could not tell them apart"
    assert not set(names) & set(GROUPS), "a group's name would hide a setting"


def test_every_setting_has_a_default_a_unit_and_a_description() -> None:
    for setting in Settings.only().describe():
        assert setting.unit, setting.name
        assert setting.description, setting.name
        assert not GROUPS[setting.group].model_fields[setting.name].is_required(), setting.name


@pytest.mark.parametrize(
    ("origin", "name", "said"),
    [
        (
            "environment",
            "site_per_dya",
            "environment FORMWARDEN_SITE_PER_DYA: no such setting; did you mean FORMWARDEN_SITE_PER_DAY?",
        ),
        (".env", "secret_key", ".env FORMWARDEN_SECRET_KEY: no such setting; did you mean FORMWARDEN_SECRET_KEYS?"),
        ("formwarden.toml", "smtp", "formwarden.toml smtp: no such setting; did you mean smtp_url?"),
        ("code", "qqqqq", "code qqqqq: no such setting; remove it; `formwarden config` lists all there are"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(origin: str, name: str, said: str) -> None:
    assert flatten(Source(origin=origin, values={name: "hunter2"})) == ({}, [said])


def test_a_group_may_come_as_a_table_or_as_itself() -> None:
    assert Settings.only(mail={"site_per_day": 20}) == Settings.only(mail=Mail(site_per_day=20))
    assert Settings.only(mail=Mail(site_per_day=20)).mail.site_per_day == 20


def test_a_group_says_only_what_it_was_given() -> None:
    origins = Settings.only(mail=Mail(site_per_day=20)).origins
    assert (origins["site_per_day"], origins["site_per_hour"]) == ("code", "default")


def test_a_name_in_a_wrong_group_is_sent_to_the_right_one() -> None:
    assert refused(mail={"mode": "monitor"}) == ("code mode: stands in the group mail, but belongs to site",)


def test_a_name_given_twice_is_refused() -> None:
    (fault,) = refused(site_per_day=1, mail={"site_per_day": 2})
    assert fault == "code site_per_day: given twice, by itself and in the group mail; leave one out"


@pytest.mark.parametrize("value", ["smtp://x", 5, None])
def test_a_group_that_is_no_table_is_refused(value: object) -> None:
    assert refused(mail=value) == ("code mail: is a group of settings; give its values by name, such as smtp_url",)


def test_a_wrong_value_names_source_unit_and_remedy() -> None:
    (fault,) = refused(site_per_day="many")
    assert fault.startswith("code site_per_day: input should be a valid integer")
    assert "unit: replies in 24 h" in fault
    assert fault.endswith("without it: 50")


def test_a_pattern_in_a_fault_keeps_its_letters() -> None:
    assert r"(/\S*)?$" in refused(public_url="example.jp")[0]


def test_all_faults_come_at_once() -> None:
    faults = refused(site_per_day="many", mode="watch", machines=0, foo=1, min_age_s=-1)
    assert len(faults) == 5


@pytest.mark.parametrize(
    "values",
    [
        {"secret_keys": 5.5},
        {"secret_keys": ["hunter2" * 9, 4]},
        {"smtp_url": ["hunter2"]},
        {"store_url": {"hunter2": "hunter2"}},
        {"console_password": b"\xffhunter2"},
        {"counters_url": object()},
    ],
)
def test_no_fault_shows_what_was_given(values: dict[str, object]) -> None:
    faults = refused(**values)
    assert faults
    assert "hunter2" not in str(faults)


def test_a_default_url_is_shown_and_a_given_one_is_not() -> None:
    shown = {setting.name: setting.value for setting in Settings.only().describe()}
    assert shown["store_url"] == "sqlite:///formwarden.db"
    assert shown["smtp_url"] == shown["secret_keys"] == "(not set)"
    given = Settings.only(store_url="sqlite:///formwarden.db", secret_keys="x", smtp_url="smtp://u:p@h")
    shown = {setting.name: setting.value for setting in given.describe()}
    assert {shown[name] for name in ("store_url", "smtp_url", "secret_keys")} == {"(set)"}
