"""Whether our mail carries a DKIM signature of our own domain, ours or the relay's."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field, SecretStr

from formwarden.groups import Group, Unit

NEEDS_DKIM: Final = (
    "the null sender needs a DKIM signature of your domain, for SPF then proves the relay's name only and DMARC "
    "fails; give dkim_key, or set dkim_aligned if your relay signs, or leave envelope at verp"
)


class Signing(Group):
    """DKIM (RFC 6376): what the null sender rests on, for SPF then speaks of the relay only (R19)."""

    dkim_selector: Annotated[
        str | None,
        Unit("name"),
        Field(
            pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$",
            description="where the public key stands in DNS: <selector>._domainkey.<dkim_domain>",
        ),
    ] = None
    dkim_key: Annotated[
        SecretStr | None,
        Unit("path or PEM"),
        Field(description="RSA private key that signs every mail; needs formwarden[dkim]; None: we sign nothing"),
    ] = None
    dkim_domain: Annotated[
        str | None, Unit("domain"), Field(description="whose signature it is; default site_domain")
    ] = None
    dkim_aligned: Annotated[
        bool,
        Unit("on | off"),
        Field(description="your relay signs with the domain of header From, so that no key is needed here"),
    ] = False

    def faults(self, site_domain: str | None, *, sender: str, null_sender: bool) -> Iterator[tuple[str, str]]:
        """Name what does not go together, with its remedy; `sender` is the address of header From."""
        if (self.dkim_key is None) != (self.dkim_selector is None):
            name = "dkim_key" if self.dkim_key is None else "dkim_selector"
            yield name, "is missing, and a signature needs dkim_key and dkim_selector; give both or neither"
        if not null_sender or self.dkim_aligned:
            return
        domain = self.dkim_domain or site_domain
        if self.dkim_key is None:
            yield "envelope", NEEDS_DKIM
        elif domain is not None and not _is_aligned(domain, sender.rpartition("@")[2]):
            yield "dkim_domain", "is not the domain of mail_from, and the null sender rests on a signature that is"


def _is_aligned(one: str, other: str) -> bool:
    """Tell whether one domain is the other, or below it: what receivers accept at most (RFC 7489 section 3.1.1)."""
    one, other = one.lower(), other.lower()
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
