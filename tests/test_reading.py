"""Reading must not fail, whatever was sent: what cannot be judged is let through."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden import Client, Fields, Submission, Upload
from formwarden.address.suffix import Suffixes
from formwarden.facts import MarkerOutcome, Origin, TokenOutcome
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.page.traps import Traps
from formwarden.proxies import TrustedProxies
from formwarden.reading import TOKEN_WINDOW_S, Reader, Reading
from formwarden.signals.limits import SignalLimits
from formwarden.site import Site
from formwarden.stores.ports import Observed
from formwarden.subjects import ClientSubjects
from formwarden.tokens import Tokens
from formwarden.vouchers.asking import Vouchers
from tests.clock import MovableClock
from tests.sites import MESSAGE, evidence

FORM = GuardedForm("contact", path="/contact")
HEADERS = {"host": "shop.example", "user-agent": "Mozilla/5.0"}
TYPED = (("name", "Taro"), ("email", "taro@gmail.com"), ("message", MESSAGE))
ANYTHING = st.text(alphabet=st.sampled_from("ab.@:/[]%,;= \r\n\0\ud800é") | st.characters(), max_size=30)
OURS = st.sampled_from(["name", "email", "message", "_fw_form", "_fw_token", "_fw_seen"])
READ = st.sampled_from(["origin", "host", "accept-language", "x-forwarded-for", "sec-fetch-site"])


class Desk:
    """A reader, and what it hands to pages."""

    def __init__(self, clock: MovableClock, *, public_url: str | None = None, proxies: tuple[str, ...] = ()) -> None:
        self.clock = clock
        self._drawn = 0
        self.tokens = Tokens(["k" * 40], clock=clock, entropy=self.entropy)
        self.traps = Traps(self.tokens)
        self.reader = Reader(
            tokens=self.tokens,
            traps=self.traps,
            site=Site(site_domain="shop.example", public_url=public_url),
            limits=SignalLimits(),
            proxies=TrustedProxies.parse(proxies),
            suffixes=Suffixes(),
            clients=ClientSubjects(self.tokens.derive_all("clients")),
            vouchers=Vouchers((), key=b"k" * 32, faults=Faults(clock)),
            clock=clock,
            entropy=self.entropy,
            faults=Faults(clock),
        )

    def entropy(self, size: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(size, "big")

    def page(self, form: GuardedForm = FORM, ip: str = "1.2.3.4") -> dict[str, str]:
        """The fields of a page that was shown now."""
        epoch = self.traps.epoch(self.clock.now())
        networks = self.reader.networks_of(Client.parse(ip))
        fields = {
            "_fw_form": self.tokens.mark(form.name, epoch),
            "_fw_token": self.tokens.issue(form.name, network=networks[0] if networks else None),
        }
        return fields | {self.traps.of(form, epoch=epoch)[0].name: ""}

    def read(
        self,
        *pairs: tuple[str, str],
        page: dict[str, str] | None = None,
        ip: str | None = "1.2.3.4",
        headers: dict[str, str] | None = None,
        uploads: tuple[Upload, ...] = (),
    ) -> Reading:
        fields = (*(page or {}).items(), *(pairs or TYPED))
        sent = Submission(FORM.name, fields, uploads=uploads, peer=ip, headers=HEADERS | (headers or {}))
        return self.reader.read(FORM, sent)


@pytest.fixture
def desk(clock: MovableClock) -> Desk:
    return Desk(clock)


# ------------------------------------------------------------------ what was typed
def test_ours_and_the_traps_are_taken_out(desk: Desk) -> None:
    page = desk.page()
    reading = desk.read(page=page | {"_fw_seen": evidence(page["_fw_token"])})
    assert reading.typed.pairs == TYPED
    assert len(reading.traps) == 2
    assert reading.page.marker is MarkerOutcome.VALID
    assert (reading.script.present, reading.script.bound) == (True, True)


def test_a_page_of_last_week_has_the_traps_of_last_week(desk: Desk) -> None:
    page = desk.page()
    desk.clock.move(604_800)
    reading = desk.read(page=page)
    assert reading.typed.pairs == TYPED
    assert [trap.present for trap in reading.page.traps] == [True, False]


@pytest.mark.parametrize(
    ("values", "addresses", "canonical"),
    [
        ([" taro@gmail.com "], ("taro@gmail.com",), "taro@gmail.com"),
        (["taro@gmail.com", "taro@gmail.com"], ("taro@gmail.com",), "taro@gmail.com"),
        (["taro@gmail.com", "hana@gmail.com"], ("taro@gmail.com", "hana@gmail.com"), None),
        (["", "  "], (), None),
        ([], (), None),
    ],
)
def test_the_address_is_one_or_none(
    desk: Desk, values: list[str], addresses: tuple[str, ...], canonical: str | None
) -> None:
    reading = desk.read(("message", MESSAGE), *(("email", value) for value in values))
    assert reading.addresses == addresses
    assert (reading.syntax.canonical if reading.syntax else None) == canonical


# ------------------------------------------------------------------ the id (DESIGN, Retry)
def test_the_same_body_of_the_same_page_has_the_same_id(desk: Desk) -> None:
    page = desk.page()
    first = desk.read(page=page)
    desk.clock.move(60)
    again = desk.read(page=page | {"_fw_seen": evidence(page["_fw_token"], k=91)})
    assert first.id == again.id
    assert first.observation.body == again.observation.body


def test_every_page_text_order_or_file_makes_another_id(desk: Desk) -> None:
    page = desk.page()
    file = Upload(field="file", filename="a.txt", content_type="text/plain", size=1, sha256=b"1" * 32)
    ids = [
        desk.read(page=page).id,
        desk.read(page=desk.page()).id,
        desk.read(*TYPED[:2], ("message", f"{MESSAGE} "), page=page).id,
        desk.read(*reversed(TYPED), page=page).id,
        desk.read(*TYPED, ("message", ""), page=page).id,
        desk.read(page=page, uploads=(file,)).id,
        desk.read(page=page, uploads=(replace(file, sha256=b"2" * 32),)).id,
        desk.read(page=page, uploads=(replace(file, filename="b.txt"),)).id,
        desk.read(page=page, uploads=(file, file)).id,
    ]
    assert len(set(ids)) == len(ids)


def test_where_a_field_ends_is_part_of_the_id(desk: Desk) -> None:
    page = desk.page()
    assert desk.read(("a", "bc"), page=page).id != desk.read(("ab", "c"), page=page).id


def test_without_a_token_every_submission_is_another(desk: Desk) -> None:
    assert desk.read().id != desk.read().id
    assert desk.read().observation.nonce is None


def test_nobody_without_our_key_can_name_an_id(clock: MovableClock) -> None:
    page = Desk(clock).page()
    other = Desk(clock)
    other.reader._id_key = b"another key"  # noqa: SLF001 - as another site's keys would make it
    assert Desk(clock).read(page=page).id != other.read(page=page).id


# ------------------------------------------------------------------ token
def test_token_outcomes_are_told_apart(desk: Desk) -> None:
    page = desk.page()
    assert desk.read(page=page).outcome is TokenOutcome.FRESH
    assert desk.read().outcome is TokenOutcome.MISSING
    assert desk.read(page=page | {"_fw_token": page["_fw_token"][:-1] + "!"}).outcome is TokenOutcome.TAMPERED
    other = desk.page(GuardedForm("other"))
    assert desk.read(page=page | {"_fw_token": other["_fw_token"]}).outcome is TokenOutcome.OTHER_FORM
    desk.clock.move(SignalLimits().stale_after_s + 1)
    assert desk.read(page=page).outcome is TokenOutcome.STALE


def test_a_token_fetched_by_a_neighbour_is_of_the_same_network(desk: Desk) -> None:
    page = desk.page(ip="1.2.3.99")
    reading = desk.read(page=page)
    assert desk.reader.facts(reading, reading.outcome, Observed(), None).token.same_network is True
    elsewhere = desk.read(page=page, ip="1.2.9.4")
    assert desk.reader.facts(elsewhere, reading.outcome, Observed(), None).token.same_network is False


def test_g20_a_token_of_yesterday_is_compared_under_yesterdays_key(desk: Desk) -> None:
    page = desk.page()
    desk.clock.move(TOKEN_WINDOW_S - 60)
    reading = desk.read(page=page)
    assert len(reading.networks) == 2
    assert desk.reader.facts(reading, reading.outcome, Observed(), None).token.same_network is True


def test_a_body_seen_before_does_not_count_as_a_use(desk: Desk) -> None:
    reading = desk.read(page=desk.page())
    facts = desk.reader.facts
    assert facts(reading, reading.outcome, Observed(uses=2), None).token.uses == 2
    assert facts(reading, reading.outcome, Observed(uses=2, same_body=True), None).token.uses == 0
    assert facts(reading, reading.outcome, None, None).token.uses is None


# ------------------------------------------------------------------ where it comes from
@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({}, Origin.ABSENT),
        ({"origin": "https://shop.example"}, Origin.OWN),
        ({"origin": "http://shop.example"}, Origin.OWN),
        ({"origin": "https://shop.example:444"}, Origin.CROSS),
        ({"origin": "https://evil.example"}, Origin.CROSS),
        ({"origin": "https://shop.example.evil.example"}, Origin.CROSS),
        ({"origin": "null"}, Origin.CROSS),
        ({"origin": ""}, Origin.CROSS),
        ({"origin": "https://[::1"}, Origin.CROSS),
        ({"origin": "http://["}, Origin.CROSS),
        ({"sec-fetch-site": "same-origin"}, Origin.OWN),
        ({"sec-fetch-site": "same-site"}, Origin.CROSS),
        ({"sec-fetch-site": "cross-site"}, Origin.CROSS),
        ({"sec-fetch-site": "none"}, Origin.CROSS),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, Origin.CROSS),
        ({"origin": "https://shop.example", "sec-fetch-site": "cross-site"}, Origin.OWN),
    ],
)
def test_g01_origin_is_compared_with_host(desk: Desk, headers: dict[str, str], origin: Origin) -> None:
    assert desk.read(headers=headers).origin is origin


def test_g01_a_proxy_that_rewrites_host_is_covered_by_the_public_url(clock: MovableClock) -> None:
    desk = Desk(clock, public_url="https://www.shop.example/base")
    inner = {"host": "app.internal:8000"}
    assert desk.read(headers={**inner, "origin": "https://www.shop.example"}).origin is Origin.OWN
    assert desk.read(headers={**inner, "origin": "https://evil.example"}).origin is Origin.CROSS


def test_g01_an_origin_without_host_belongs_to_no_request_without_host(desk: Desk) -> None:
    for host in ("", "shop.example"):
        assert desk.read(headers={"host": host, "origin": "garbage"}).origin is Origin.CROSS


# ------------------------------------------------------------------ what is counted
def test_an_unknown_client_is_not_counted(desk: Desk) -> None:
    reading = desk.read(page=desk.page(), ip=None)
    assert reading.networks == ()
    assert {"client", "network"}.isdisjoint(reading.tallies)
    assert not desk.reader.facts(reading, reading.outcome, Observed(), None).client_known


def test_everybody_has_a_freemail_address_so_its_domain_is_not_counted(desk: Desk) -> None:
    assert "domain" not in desk.read().tallies
    assert "domain" in desk.read(("email", "a@nagoya-bow.jp")).tallies


def test_one_mailbox_is_counted_once_however_it_is_written(desk: Desk) -> None:
    one = desk.read(("email", "Taro.Yamada+shop@gmail.com"))
    other = desk.read(("email", "taroyamada@googlemail.com"))
    assert one.tallies["address"] == other.tallies["address"]


def test_g20_no_key_tells_what_it_counts(desk: Desk) -> None:
    reading = desk.read()
    written = b"".join(b"".join(tally.keys) for tally in reading.observation.tallies)
    for clear in (b"taro", b"gmail", b"contact", bytes([1, 2, 3, 4])):
        assert clear not in written


def test_repeats_are_counted_less_what_this_very_lineage_left(desk: Desk) -> None:
    page = desk.page()
    reading = desk.read(page=page)
    counts = dict.fromkeys(reading.tallies.values(), 3)
    seen = dict.fromkeys(reading.observation.prints, 2)

    def repeats(observed: Observed, of: Reading = reading) -> tuple[int | None, int | None, int | None]:
        found = desk.reader.facts(of, TokenOutcome.FRESH, observed, None).repeats
        return found.client, found.same_text, found.near_text

    assert repeats(Observed(counts=counts, seen=seen)) == (3, 2, 2)
    assert repeats(Observed(counts=counts, seen=seen, same_body=True)) == (2, 1, 1)
    assert reading.token is not None
    asked = replace(reading, token=replace(reading.token, reissues=4))
    assert repeats(Observed(counts=counts, seen=seen), asked) == (0, 0, 0)


def test_counters_that_did_not_answer_are_unknown(desk: Desk) -> None:
    reading = desk.read(page=desk.page())
    repeats = desk.reader.facts(reading, reading.outcome, None, None).repeats
    assert (repeats.client, repeats.lineage, repeats.same_text) == (None, None, None)


def test_when_it_came_is_the_callers_word_or_our_clocks(desk: Desk) -> None:
    assert desk.read().received_at == desk.clock.now()
    told = Submission("contact", {"message": "x"}, received_at=7.0)
    assert desk.reader.read(FORM, told).received_at == 7.0


def test_a_client_given_by_the_caller_is_believed(clock: MovableClock) -> None:
    reader = Desk(clock, proxies=("10.0.0.1",)).reader
    headers = {"x-forwarded-for": "1.2.3.4"}
    assert (
        reader.client_of(Submission("c", {}, client="9.9.9.9", peer="10.0.0.1", headers=headers)).network is not None
    )
    assert reader.client_of(Submission("c", {}, peer="10.0.0.1", headers=headers)) == Client.parse("1.2.3.4")


# ------------------------------------------------------------------ nothing raises
@given(
    pairs=st.lists(st.tuples(OURS, ANYTHING)),
    headers=st.dictionaries(READ, ANYTHING),
    upload=st.builds(
        Upload, field=ANYTHING, filename=ANYTHING, content_type=ANYTHING, size=st.just(1), sha256=st.just(b"1")
    ),
    peer=ANYTHING,
)
def test_nothing_that_is_sent_makes_reading_raise(
    pairs: list[tuple[str, str]], headers: dict[str, str], upload: Upload, peer: str
) -> None:
    desk = Desk(MovableClock(), proxies=("10.0.0.1",))
    for near in (peer, "10.0.0.1"):
        submission = Submission("contact", Fields(pairs), uploads=(upload,), peer=near, headers=headers)
        reading = desk.reader.read(FORM, submission)
        desk.reader.facts(reading, reading.outcome, Observed(), reading.syntax)
