"""What a peer's own script writes into its form, for visitors over HTTP who have scripts, or forge what they do."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

NONCE: Final = "fg_nonce"  # of django-formguard: `formguard.js` sums it up, `formguard-ia.js` notes any interaction
SUM: Final = "fg_js"
TOUCHED: Final = "fg_ia"
WITHOUT: Final = frozenset(  # these run no scripts against ours either
    {"blind-poster", "fill-all", "polite-script", "header-forger", "json-poster", "no-script-reader"}
)


def with_script(content: bytes) -> bytes:
    """Return a form's body as django-formguard's scripts would have had it sent; any other body as it is."""
    pairs = parse_qsl(content.decode(), keep_blank_values=True)
    nonce = dict(pairs).get(NONCE)
    if not nonce:
        return content
    summed = sum(map(ord, nonce)) & 0xFFFF
    written = {SUM: f"{summed:x}", TOUCHED: "1"}
    return urlencode([(name, written.get(name, value)) for name, value in pairs]).encode()
