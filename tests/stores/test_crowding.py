import pytest

from formwarden.stores.crowding import may_add


@pytest.mark.parametrize(
    ("share", "fine", "coarse", "known"),
    [(0.0, True, True, True), (0.5, False, True, True), (0.75, False, False, True), (1.0, False, False, False)],
)
def test_fine_keys_stop_first_then_coarse_ones_then_all(
    share: float, *, fine: bool, coarse: bool, known: bool
) -> None:
    assert may_add(share, known=False, coarse=False) is fine
    assert may_add(share, known=False, coarse=True) is coarse
    assert may_add(share, known=True, coarse=False) is known
    assert may_add(share, known=True, coarse=True) is known
