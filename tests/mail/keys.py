"""Keys for DKIM, made now; skips the test where the openssl program is missing."""

import base64
import shutil
import subprocess
from functools import cache

import pytest


@cache
def private_key(bits: int = 1_024, *, kind: str = "rsa", traditional: bool = False) -> str:
    """Make a private key in PEM; `traditional`: as PKCS#1. 1,024 bits: made and used in a moment."""
    if kind == "rsa":
        return openssl("genrsa", *(("-traditional",) if traditional else ()), str(bits)).decode()
    return openssl("genpkey", "-algorithm", kind).decode()


@cache
def record(pem: str) -> bytes:
    """Return the TXT record that a domain publishes for this key (RFC 6376 section 3.6.1)."""
    public = openssl("rsa", "-pubout", "-outform", "DER", stdin=pem.encode())
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run the program and return what it prints."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl program to make a key with: apt-get install openssl")
    return subprocess.run((program, *arguments), input=stdin, check=True, capture_output=True, timeout=60).stdout
