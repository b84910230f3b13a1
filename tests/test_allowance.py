"""How many bytes of bodies a process holds, and for whom there is room."""

import pytest

from formwarden.allowance import Allowance, NoRoomError, Share

HERE, THERE, ELSEWHERE = b"198.51.100/24", b"203.0.113/24", b"192.0.2/24"


def grown(allowance: Allowance, network: bytes | None, most: int = 200) -> tuple[int, list[Share]]:
    """Bodies of ten bytes from one network until one is refused: how many bytes were let in."""
    shares: list[Share] = []
    for _ in range(most):
        share = allowance.share(network)
        try:
            share.grow(10, within=True)
        except NoRoomError:
            break
        shares.append(share)
    return sum(share.size for share in shares), shares


def test_no_more_is_held_than_is_allowed_and_what_is_given_back_is_there_again() -> None:
    allowance = Allowance(100)
    one, other = allowance.share(HERE), allowance.share(THERE)
    one.grow(60, within=True)
    other.grow(40, within=True)
    with pytest.raises(NoRoomError, match="FORMWARDEN_SPOOL_BUDGET"):
        other.grow(1, within=True)
    assert allowance.held == 100
    one.release()
    one.release()
    other.grow(60, within=True)
    assert (allowance.held, other.size) == (100, 100)


def test_what_is_in_memory_already_is_counted_and_not_refused() -> None:
    allowance = Allowance(100)
    share = allowance.share()
    share.grow(150, within=False)
    assert allowance.held == 150
    share.release()
    assert allowance.held == 0


def test_one_network_leaves_room_for_others() -> None:
    allowance = Allowance(1_200)
    ours, shares = grown(allowance, HERE)
    assert ours == 600
    assert grown(allowance, THERE)[0] == 300
    assert grown(allowance, ELSEWHERE)[0] == 150
    for share in shares:
        share.release()
    assert grown(allowance, HERE)[0] == 370, "what is free is shared anew"


def test_clients_that_cannot_be_known_count_as_one_network() -> None:
    assert grown(Allowance(1_000), None)[0] == 500


def test_a_single_body_may_have_all_there_is() -> None:
    allowance = Allowance(100)
    share = allowance.share(HERE)
    for _ in range(10):
        share.grow(10, within=True)
    assert allowance.held == 100


def test_a_network_that_is_gone_is_forgotten() -> None:
    allowance = Allowance(100)
    for number in range(50):
        share = allowance.share(b"%d" % number)
        share.grow(60, within=True)
        share.release()
    assert (allowance.held, allowance.networks) == (0, 0)
