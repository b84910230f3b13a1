"""The page that is written: all personas in rows, all sites side by side."""

from collections.abc import Iterator, Mapping, Sequence

from formwarden.cli.attack_table import Line

HEAD = """# Who gets through

`make detection` writes this page: the same personas against formwarden's demo and against two peers, side by side.
"""
TAIL = """
## How it was measured

- Each persona visits a site of its own, freshly started: the demo with a SQLite store, played DNS and a mail server on loopback; each peer on a minimal Django form with the settings of its own documentation, whose view mails a receipt to whoever it accepts.
- Visitors come one after another and do not really wait: they set the server's clock (and in browsers the page's) forward by what they would have waited. The servers' code is unchanged; their `time.time` runs ahead.
- Each visitor has a network of its own (`X-Forwarded-For`, which the demo is told to trust), but for the office of thirty and what a bot does from one.
- Bots and people draw names, addresses, texts and headers from the same generators, so that only what they do tells them apart.
- *accepted*: the site acted on it; *held*: quarantined for the owner, who can release it, while the sender sees thanks; *rejected*: refused; *asked*: the form, or a page with one button, came again (a formguard refusal is such a page, with what was typed still in it). One visit may post several times: *n* counts posts.
- *lost*: posts after which what was typed had gone from the visitor's screen.
- *mails*: auto-replies that the posts caused; for formwarden those that the ledger granted, for the peers those that the mail server received. A fresh formwarden site sends 5 an hour and 20 a day until it has seen a bounce, so fewer mails than accepted people is its budget, not a judgement.
- Over HTTP, people with scripts and bots that forge what a script says do the same for each site: they write what formwarden's script, or django-formguard's, would have written. Without that django-formguard takes nobody, by design. Browsers run each site's own scripts.
- Which bots speak the peers' scripts is a choice of ours: those that forge formwarden's evidence (replayer, token harvester, address rotator, evidence forger, dot shuffler, name advertiser) write the peer's fields too, as a bot written for that peer would; the simple ones write neither. Nobody has measured how many bots in the wild do so for which library.
- `replayer`: the first post of a visit is the one it records, good as a person's, and is among *n* and *accepted*; beyond it at most two are accepted, the corrections that a person may make, and one auto-reply leaves in all.
- `name-advertiser`: a link beside other words in the name is held (`url_in_name`). Honest short texts put where a name is asked for were held 0 to 1 times in each labelled corpus (`SOAK=1 pytest tests/signals/test_corpora.py -k in_short` prints the table; [proof/content.md](proof/content.md)).
- What is accepted of bots that speak the whole protocol (evidence forger, disguised browser) is what it is: their bar is mail, not acceptance.
- `browser-autofill` is Chromium's own autofill, triggered by its debugging protocol with an address that we hand over: the fields are filled, marked and announced to the page by the browser itself. Only the choice of the suggestion is not made by hand.
"""


def written(
    lines: Mapping[str, Sequence[Line]], *, facts: Sequence[str], missing: Mapping[str, str]
) -> Iterator[str]:
    """Write the page. `missing`: peers that could not be measured, and why."""
    yield HEAD
    yield from (f"- {fact}" for fact in facts)
    yield from (f"- {name} is missing: {why}" for name, why in missing.items())
    for title, person in (("Bots", False), ("People", True)):
        yield f"\n## {title}\n"
        yield (
            "| persona | "
            + " | ".join(f"{site}: n" + " | acc. | held | rej. | asked | lost | mails" for site in lines)
            + " |"
        )
        yield "| --- |" + " ---: |" * (7 * len(lines))
        names = dict.fromkeys(line.name for each in lines.values() for line in each if line.person is person)
        for name in names:
            yield f"| {name} | " + " | ".join(_cells(name, each) for each in lines.values()) + " |"
    yield TAIL


def _cells(name: str, lines: Sequence[Line]) -> str:
    line = next((each for each in lines if each.name == name), None)
    if line is None:
        return " | ".join("–" * 7)
    numbers = (line.n, line.accepted, line.quarantined, line.rejected, line.asked, line.lost, line.replies)
    return " | ".join(str(number) for number in numbers)
