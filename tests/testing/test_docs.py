"""The code in docs/testing.md, run as it stands."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")


def test_the_examples_do_what_they_say() -> None:
    blocks = re.findall(r"^```python\n(.+?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    names: dict[str, object] = {}
    exec("\n".join(blocks), names)  # noqa: S102 - the page's own code
    environment = names["environment"]
    assert isinstance(environment, dict)
    assert environment["FORMWARDEN_DNS_SERVERS"].startswith("127.0.0.1:")
