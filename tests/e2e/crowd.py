"""A crowd of distinct people for real sites: who they are, what they write, and settings that let them all in."""

from urllib.parse import urlencode

BROWSER = {
    "content-type": "application/x-www-form-urlencoded",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept": "text/html",
    "accept-language": "en",
}
ENOUGH = "100000"
# Only the budget under test stands in the way: the others, the shares and the network's 20% (G02), the cap of an
# unproven site (G07) and the velocity signals are put out of it.
OUT_OF_THE_WAY = {
    "site_per_minute": ENOUGH,
    "site_per_hour": ENOUGH,
    "site_per_day": ENOUGH,
    "form_per_hour": ENOUGH,
    "form_per_day": ENOUGH,
    "domain_per_hour": ENOUGH,
    "domain_per_day": ENOUGH,
    "client_per_hour_plain": ENOUGH,
    "client_per_hour": ENOUGH,
    "client_per_day": ENOUGH,
    "staff_per_hour": ENOUGH,  # singly: what is gathered waits for a quarter of an hour
    "unproven_per_hour": ENOUGH,
    "unproven_per_day": ENOUGH,
    "network_share": "1",
    "plain_share": "1",
    "shown_share": "1",
    "provider_share": "1",
    "large_provider_share": "1",
    "min_age_s": "0",
    "weights": "client_velocity=0 network_velocity=0 address_velocity=0 domain_velocity=0 same_text=0 near_text=0",
}
WORDS = ("violin", "viola", "cello", "bass", "guitar", "harp", "lute", "oud", "koto", "biwa", "sitar", "banjo")


def client_address(number: int) -> str:
    """Give everybody a network of their own."""
    return f"{11 + number // 65_536}.{number // 256 % 256}.{number % 256}.33"


def headers(number: int) -> dict[str, str]:
    """Say what this person's browser sends, behind the site's proxy."""
    return {**BROWSER, "x-forwarded-for": client_address(number)}


def inquiry(number: int, domain: str) -> dict[str, str]:
    """Write a text that is like no other."""
    words = " ".join(WORDS[number // 12**place % 12] for place in range(4))
    return {
        "name": f"Person {number}",
        "email": f"person.{number}@{domain}",
        "message": f"My {words} with number {number:x} needs a new {WORDS[number % 12]} string, what would it cost?",
    }


def body(page: dict[str, str], number: int, domain: str) -> str:
    """Write what a form is sent as, with the hidden fields of its page."""
    return urlencode({**page, **inquiry(number, domain)})
