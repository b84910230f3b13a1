"""DKIM (RFC 6376): our own signature, so that a mail is ours whatever its envelope says. Needs the extra `dkim`."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from formwarden.errors import ComposeError, SettingsError
from formwarden.mail.dkim_settings import Signing

HEADER: Final = "dkim-signature"
# Each is signed once more than it stands (RFC 6376 section 8.15), so that nobody adds another one.
SIGNED: Final = (
    *("from", "to", "cc", "reply-to", "sender", "subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding", "content-language"),
    *("auto-submitted", "x-auto-response-suppress"),
)
SMALLEST_KEY: Final = 1_024  # bits (RFC 8301 section 3.2); receivers take a signature of less for none
KEY_FILE_LIMIT: Final = 65_536  # octets; a key of 8,192 bits has 6,500
REMEDY: Final = "make one: openssl genrsa -out dkim.pem 2048"
_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.+?)-----END \1-----", re.DOTALL)
_PRIVATE: Final = frozenset({"PRIVATE KEY", "RSA PRIVATE KEY"})
_NAME: Final = re.compile(rb"^([!-9;-~]+):", re.MULTILINE)


class DkimSigner:
    """Signs mails with one RSA key, relaxed/relaxed. Raises ValueError, which says why, for a key that cannot.

    It is Python: a signature takes as long as a look-up, in the loop that asks for it.
    """

    def __init__(self, pem: str, *, selector: str, domain: str) -> None:
        self._key = _checked(pem)
        self._selector = selector.encode("ascii")
        self._domain = domain.encode("idna")

    def sign(self, data: bytes) -> bytes:
        """Put a signature before a finished mail. Raises ComposeError where that fails."""
        import dkim

        head = data.partition(b"\r\n\r\n")[0]
        present = [name.decode("ascii").lower() for name in _NAME.findall(head)]
        oversigned = [name for name in SIGNED for _ in range(present.count(name) + 1)]
        try:
            signature: bytes = dkim.sign(
                data,
                self._selector,
                self._domain,
                self._key,
                canonicalize=(b"relaxed", b"relaxed"),  # relays fold headers anew and trim line ends
                include_headers=oversigned,
            )
        except dkim.DKIMException as error:
            raise ComposeError("the mail cannot be signed") from error
        return signature + data


def signer_of(settings: Signing, site_domain: str | None) -> DkimSigner | None:
    """Make the signer the settings ask for; None: they ask for none. Raises SettingsError that names the remedy."""
    domain = settings.dkim_domain or site_domain
    if settings.dkim_key is None or settings.dkim_selector is None or domain is None:
        return None
    if find_spec("dkim") is None:
        raise SettingsError(("FORMWARDEN_DKIM_KEY: signing needs dkimpy; install formwarden[dkim]",))
    try:
        pem = _read(settings.dkim_key.get_secret_value())
        return DkimSigner(pem, selector=settings.dkim_selector, domain=domain)
    except OSError as error:
        why = f"cannot be read ({error.strerror or type(error).__name__})"
        raise SettingsError(
            (f"FORMWARDEN_DKIM_KEY: {why}; give the path of a PEM file, or the PEM itself",)
        ) from None
    except ValueError as error:
        raise SettingsError((f"FORMWARDEN_DKIM_KEY: {error}",)) from None


def _read(key: str) -> str:
    r"""Return the PEM; an environment may hold its line ends as `\n`."""
    text = key.replace("\\n", "\n")
    if "-----BEGIN" in text:
        return text
    with Path(key).open("rb") as file:
        return file.read(KEY_FILE_LIMIT).decode("ascii", "replace")


def _checked(pem: str) -> bytes:
    """Return the one private key of a PEM, as its numbers prove it to be."""
    from dkim.crypto import UnparsableKeyError, parse_pem_private_key

    blocks = [(kind, body) for kind, body in _PEM.findall(pem) if kind.endswith("PRIVATE KEY")]
    if not blocks:
        half = "only the public half of a key" if "PUBLIC KEY" in pem else "no private key in PEM"
        raise ValueError(f"holds {half}; {REMEDY}")
    kind, body = blocks[0]
    if "ENCRYPTED" in kind + body:
        raise ValueError("holds a key behind a passphrase; take it off: openssl rsa -in KEY -out dkim.pem")
    block = f"-----BEGIN {kind}-----\n{body.strip()}\n-----END {kind}-----\n".encode("ascii", "replace")
    try:
        numbers = parse_pem_private_key(block) if kind in _PRIVATE else {}
    except (UnparsableKeyError, ValueError, AssertionError, IndexError, TypeError):
        numbers = {}  # another algorithm, or a part of the file is missing
    if not numbers:
        raise ValueError(f"holds no RSA key that is whole; {REMEDY}")
    if not _belong_together(numbers):
        raise ValueError(f"holds numbers that do not belong together; {REMEDY}")
    bits = numbers["modulus"].bit_length()
    if bits < SMALLEST_KEY:
        raise ValueError(f"has {bits} bits, and receivers want {SMALLEST_KEY} at least; {REMEDY}")
    return block


def _belong_together(key: dict[str, int]) -> bool:
    """Tell whether what this key signs is what its public half verifies (RFC 8017 section 3.2)."""
    one, other, public = key["prime1"], key["prime2"], key["publicExponent"]
    if min(one, other) < 2 or one * other != key["modulus"]:  # noqa: PLR2004 - the smallest prime
        return False
    right = (public * key["exponent1"] % (one - 1), public * key["exponent2"] % (other - 1))
    return right == (1, 1) and key["coefficient"] * other % one == 1
