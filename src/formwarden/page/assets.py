"""Style sheets and script under names that hold their hash, so that browsers keep them for a year."""

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from formwarden.page.effort import WORK_HEADER
from formwarden.page.ratelimit import Refusal
from formwarden.submission import Answer

HASH_LETTERS: Final = 12  # of SHA-256 in hex: tells releases apart, proves nothing
KEPT: Final = "public, max-age=31536000, immutable"  # one year: the name changes with the bytes
CURRENT: Final = "public, max-age=300"  # 5 min: an unknown hash gets today's file (G35)
TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_NAME: Final = re.compile(r"(?P<stem>[a-z]+)(?:\.(?P<hash>[0-9A-Za-z]{1,64}))?\.(?P<kind>css|js)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file as it is served."""

    url: str
    integrity: str  # for the attribute of that name
    digest: str
    content_type: str
    body: bytes


class Assets:
    """Our static files below a prefix; read once, here."""

    def __init__(self, prefix: str) -> None:
        self.token_path = f"{prefix}token"
        self.guard_script = _load(prefix, "guard", "js")
        self.guard_style = _load(prefix, "guard", "css")
        self.page_style = _load(prefix, "pages", "css")
        self.worker_script = _load(prefix, "worker", "js")
        self._prefix = prefix
        self._served = {
            ("guard", "js"): self.guard_script,
            ("guard", "css"): self.guard_style,
            ("pages", "css"): self.page_style,
            ("worker", "js"): self.worker_script,
        }

    def answer(self, path: str, if_none_match: str | None = None) -> Answer | None:
        """Return the file for a path, or None where there is none of ours."""
        name = _NAME.fullmatch(path.removeprefix(self._prefix)) if path.startswith(self._prefix) else None
        asset = self._served.get((name["stem"], name["kind"])) if name else None
        if name is None or asset is None:
            return None
        headers = {
            "content-type": asset.content_type,
            "cache-control": KEPT if name["hash"] == asset.digest else CURRENT,
            "etag": f'"{asset.digest}"',
            "x-content-type-options": "nosniff",
        }
        if if_none_match is not None and _matches(if_none_match, asset.digest):
            return Answer(status=304, headers=headers, body=b"")
        return Answer(status=200, headers=headers, body=asset.body)


def token_answer(token: str | None, refusal: Refusal | None = None, challenge: str | None = None) -> Answer:
    """Return a fresh token for the script, and the work it demands; None: its network has drawn its share (G28)."""
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    if token is None:
        why = refusal.headers() if refusal else {"retry-after": "600"}
        return Answer(status=429, headers=headers | why, body=b"")
    if challenge is not None:
        headers[WORK_HEADER] = challenge
    return Answer(status=200, headers=headers, body=token.encode("ascii"))


def _load(prefix: str, stem: str, kind: str) -> Asset:
    body = files("formwarden.page").joinpath("static", f"{stem}.{kind}").read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:HASH_LETTERS]
    return Asset(
        url=f"{prefix}{stem}.{digest}.{kind}",
        integrity="sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode("ascii"),
        digest=digest,
        content_type=TYPES[kind],
        body=body,
    )


def _matches(if_none_match: str, digest: str) -> bool:
    """Compare weakly, as RFC 9110 section 13.1.2 asks of If-None-Match."""
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in if_none_match[:1024].split(",")}
    return "*" in tags or digest in tags
