from dataclasses import FrozenInstanceError

import pytest

from formwarden.mail.sender import Sender, SendResult, SendState
from formwarden.mail.smtp import SmtpSender


def test_a_relays_word_cannot_be_changed() -> None:
    result = SendResult(state=SendState.TAKEN)
    with pytest.raises(FrozenInstanceError):
        result.state = SendState.REFUSED  # type: ignore[misc] # assigning is what must fail


def test_the_smtp_relay_is_a_sender() -> None:
    sender: Sender = SmtpSender("smtp://127.0.0.1:25")
    assert isinstance(sender, SmtpSender)
