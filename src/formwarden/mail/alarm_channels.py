"""The ways by which alarms reach their owner: a file, a webhook, another relay than the one that carries replies."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.errors import ComposeError
from formwarden.faults import Faults
from formwarden.mail.alarm import AlarmChannel, AlarmError, Notice
from formwarden.mail.alarm_settings import Alarming
from formwarden.mail.alarm_webhook import Webhook
from formwarden.mail.compose import BASIC_HEADERS, Draft, new_message_id, own_address, site_label, write
from formwarden.mail.headers import Mailbox, parse_mailbox
from formwarden.mail.sender import Sender, SendState
from formwarden.mail.settings import Mail
from formwarden.mail.smtp import SmtpSender, parse_relay
from formwarden.site import Site

FILE_MODE: Final = 0o600
RELAY_S: Final = 20.0  # for one whole SMTP conversation
# O_NONBLOCK: a pipe that nobody reads is refused at once, where a thread would wait for ever
FILE_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
SAME_STREAM: Final = "FORMWARDEN_ALARM_SMTP_URL is the relay of all other mail: an alarm about it goes down with it"


class AlarmFile:
    """Appends one JSON line for each alarm, for whatever watches files."""

    name: Final = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def tell(self, notice: Notice, /) -> None:
        """Append. Raises AlarmError where not all of it is written."""
        lines = "".join(
            json.dumps({"id": alarm.id, "kind": alarm.kind, "site": notice.site, "at": alarm.at, "text": alarm.text})
            + "\n"
            for alarm in notice.alarms
        )
        try:
            await asyncio.to_thread(_append, self._path, lines.encode())
        except OSError as error:
            raise AlarmError(f"{self._path}: {error.strerror}") from error


class AlarmRelay:
    """Mails to each of its addresses; one that takes it is enough."""

    name: Final = "relay"

    def __init__(
        self, sender: Sender, to: Sequence[Mailbox], *, site: Site, mail: Mail, clock: Clock, entropy: Entropy
    ) -> None:
        self._sender = sender
        self._to = tuple(to)
        self._site = site
        self._mail = mail
        self._clock = clock
        self._entropy = entropy

    async def tell(self, notice: Notice, /) -> None:
        """Mail. Raises AlarmError where no address took it."""
        try:
            results = [await self._send(each, notice) for each in self._to]
        except ComposeError as error:
            raise AlarmError(str(error)) from error
        if SendState.TAKEN not in [state for state, _ in results]:
            raise AlarmError("; ".join(sorted({text or str(state) for state, text in results})))

    async def _send(self, to: Mailbox, notice: Notice) -> tuple[SendState, str]:
        sender = own_address(self._site, self._mail)
        draft = Draft(
            sender=sender,
            name=site_label(self._site, sender),
            recipient=to,
            subject=notice.subject,
            text=notice.text,
            date=self._clock.now(),
            message_id=new_message_id(self._entropy, sender),
        )
        data = write(draft, BASIC_HEADERS)
        result = await self._sender.send(sender.address, to.address, data, deadline_s=RELAY_S / len(self._to))
        return result.state, result.text


def channels_for(
    alarming: Alarming, *, site: Site, mail: Mail, clock: Clock, entropy: Entropy, faults: Faults
) -> tuple[AlarmChannel, ...]:
    """Make the channels that are set, all of them checked before."""
    channels: list[AlarmChannel] = []
    if alarming.alarm_file is not None:
        channels.append(AlarmFile(Path(alarming.alarm_file)))
    if alarming.alarm_webhook_url is not None:
        key = alarming.alarm_webhook_key
        channels.append(
            Webhook(
                alarming.alarm_webhook_url.get_secret_value(),
                key=None if key is None else key.get_secret_value(),
                local=alarming.alarm_webhook_local,
                clock=clock,
            )
        )
    if alarming.alarm_smtp_url is not None:
        url = alarming.alarm_smtp_url.get_secret_value()
        if mail.smtp_url is not None and _place(mail.smtp_url.get_secret_value()) == _place(url):
            faults.remark("alarms", SAME_STREAM)
        to = [parse_mailbox(each) for each in alarming.alarm_address or site.staff_address]
        known = [each for each in to if each is not None]
        channels.append(AlarmRelay(SmtpSender(url), known, site=site, mail=mail, clock=clock, entropy=entropy))
    return tuple(channels)


def _place(url: str) -> tuple[str, int]:
    relay = parse_relay(url)
    return relay.host, relay.port


def _append(path: Path, data: bytes) -> None:
    """Append all of it, or raise OSError."""
    file = os.open(path, FILE_FLAGS, FILE_MODE)
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    finally:
        os.close(file)
