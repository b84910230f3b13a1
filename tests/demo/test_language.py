import pytest
from starlette.requests import Request

from formwarden.demo.language import language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", "ja"),
        ("en-US,en;q=0.9,ja;q=0.8", "en"),
        ("de-DE,de;q=0.9,ja;q=0.5", "ja"),
        ("fr", "en"),
        ("*", "en"),
        ("", "en"),
        ("x" * 10_000 + ",ja", "en"),
    ],
)
def test_the_browsers_language_is_spoken_and_english_to_others(header: str, language: str) -> None:
    request = Request({"type": "http", "headers": [(b"accept-language", header.encode())]})
    assert language_of(request) == language
