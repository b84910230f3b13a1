"""Mail to the staff that comes again and again: once for each moment, by one process, until the relay takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from formwarden.clock import Clock
from formwarden.errors import ComposeError
from formwarden.faults import Faults
from formwarden.mail.copies import REFUSED_S, Copies, Copy, wait_s
from formwarden.mail.sender import NothingLeftError
from formwarden.mail.staff_mail import StaffMail
from formwarden.mail.worker import see_through
from formwarden.stores.telling import Telling

RETRY_S: Final = 300.0  # no hurry, and each time all is counted anew
DAY_S: Final = 86_400.0
HOUR_S: Final = 3_600.0
FIRST_MONDAY: Final = 4  # days from the epoch, which was a Thursday
WEEK_DAYS: Final = 7
Language = Literal["en", "ja", "both"]
Spoken = Literal["en", "ja"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is written to each of the staff."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When a mail is due: at an hour in UTC, every so many days from the first of them."""

    hour: int
    days: int = 1
    first_day: int = 0

    @property
    def seconds(self) -> float:
        """From one to the next."""
        return self.days * DAY_S

    def last_before(self, now: float) -> float:
        """Return the last one that is not after now."""
        first = self.first_day * DAY_S + self.hour * HOUR_S
        return first + (now - first) // self.seconds * self.seconds


def spoken(language: Language) -> tuple[Spoken, ...]:
    """Return the languages of one mail, one below the other."""
    return ("en", "ja") if language == "both" else (language,)


class Bulletin(Protocol):
    """One kind of such mail."""

    @property
    def name(self) -> str:
        """By which it is remembered."""

    @property
    def moments(self) -> Moments:
        """When it is due."""

    async def write(self, until: float, /) -> Letter | None:
        """Write the one for this moment; None: there is nothing to tell. Raises StoreError."""

    async def sent(self) -> None:
        """Note that everybody has it. Raises StoreError."""


class Bulletins:
    """Sends them. The first moment of all only begins the first period: nothing is told of the time before."""

    def __init__(
        self,
        bulletins: Sequence[Bulletin],
        *,
        telling: Telling,
        mail: StaffMail,
        copies: Copies,
        lease_s: float,
        clock: Clock,
        faults: Faults,
    ) -> None:
        self._bulletins = tuple(bulletins)
        self._telling = telling
        self._mail = mail
        self._copies = copies
        self._lease_s = lease_s  # what mailing all of the staff may take
        self._clock = clock
        self._faults = faults
        self._not_before: dict[str, float] = {}  # by the monotonic clock: after a failure

    async def step(self) -> int:
        """Send what is due; return how many. Raises StoreError."""
        if not self._mail.staff:
            return 0
        return sum([await self._one(each) for each in self._bulletins])

    async def _one(self, bulletin: Bulletin) -> bool:
        name, moments = bulletin.name, bulletin.moments
        if self._clock.monotonic() < self._not_before.get(name, 0.0):
            return False
        last, moment = await self._telling.bulletin(name), moments.last_before(self._clock.now())
        if last is not None and moment <= last <= moment + 2 * moments.seconds:  # further ahead: by a clock set back
            return False
        if not await self._telling.begin_bulletin(name, after=last, lease_s=self._lease_s):
            return False
        letter = await bulletin.write(moment) if last is not None else None
        if letter is not None:
            if not await self._mailed(name, moment, letter):
                await self._telling.end_bulletin(name, last=None)
                return False
            await bulletin.sent()
        await self._telling.end_bulletin(name, last=moment)
        return letter is not None

    async def _mailed(self, name: str, moment: float, letter: Letter) -> bool:
        """Mail whoever lacks it; False: not everybody has it."""
        about = f"{name} {moment:.0f}".encode()
        try:
            copies = [
                Copy(mail=self._mail.letter(to, letter.subject, letter.text), about=(about,))
                for to in self._mail.staff
                if self._copies.lacks(to, about)
            ]
            failed = await self._copies.hand_out(copies)
        except ComposeError as error:
            self._faults.count("compose", str(error))
            self._wait(name, REFUSED_S)
            return False
        except NothingLeftError:
            await see_through(self._telling.end_bulletin(name, last=None), self._faults, "bulletins")
            raise
        if failed:
            self._wait(name, max(RETRY_S, wait_s(failed, len(self._mail.staff))))
            return False
        self._copies.told(about)
        return True

    def _wait(self, name: str, seconds: float) -> None:
        self._not_before[name] = self._clock.monotonic() + seconds
