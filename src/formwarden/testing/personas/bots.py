"""Programs that post into forms. Each has one nature; all else is drawn as people's is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from formwarden.submission import MARKER_FIELD, TOKEN_FIELD
from formwarden.testing.personas.drawing import Draw, Length, Visitor
from formwarden.testing.personas.evidence import Hands
from formwarden.testing.personas.form_page import TICKED, Field
from formwarden.testing.personas.scene import Client, Persona, Scene, Sent
from formwarden.testing.personas.visit import Shown, Visit, written_into

GUESSED: Final = ("name", "email", "message")  # what most forms call them
POLITE_S: Final = (15.0, 60.0)  # a script that waits as long as people write
HASTY_S: Final = (0.2, 4.0)
WITHIN_S: Final = (2.0, 20.0)  # between two posts of one bot
HARVEST_S: Final = 900.0  # between taking tokens and using them
OWN_NETWORK: Final = 3  # of a replayer's posts come from where it recorded the first one
MAILBOX: Final = "gmail.com"  # dots in its addresses mean nothing (and it is played, G37)


def blind_poster(client: Client, scene: Scene) -> Sequence[Sent]:
    """Posts the usual field names without ever having seen the page."""
    return [_blindly(client, scene, scene.draw.visitor())]


def fill_all(client: Client, scene: Scene) -> Sequence[Sent]:
    """Fills in every field it finds in the HTML, ticks every box, and sends."""
    visit, shown = _opened(client, scene)
    scene.wait(scene.draw.between(*POLITE_S))
    values = written_into(shown.form, visit.visitor)
    for field in shown.form.fields:
        if field.is_typed and field.name not in values:
            values[field.name] = _anything(field, scene.draw)
        elif field.kind in TICKED:
            values[field.name] = field.value
    return [visit.send(shown, values).sent]


def polite_script(client: Client, scene: Scene) -> Sequence[Sent]:
    """Reads the page, leaves hidden fields as they are, waits as long as people write, and runs no scripts."""
    visit, shown = _opened(client, scene)
    scene.wait(scene.draw.between(*POLITE_S))
    return [visit.send(shown, written_into(shown.form, visit.visitor)).sent]


def replayer(client: Client, scene: Scene) -> Sequence[Sent]:
    """Records one good post and sends it again and again, each time with another name, address and text."""
    visit, shown = _opened(client, scene)
    hands, seconds = _forged(scene.draw, visit.visitor)
    scene.wait(seconds)
    evidence = shown.evidence(hands)
    found = [visit.send(shown, written_into(shown.form, visit.visitor), evidence).sent]
    while len(found) < scene.many:
        scene.wait(scene.draw.between(*WITHIN_S))
        visit = Visit(client if len(found) <= OWN_NETWORK else scene.connect(), scene.draw.visitor())
        found.append(visit.send(shown, written_into(shown.form, visit.visitor), evidence).sent)
    return found


def token_harvester(client: Client, scene: Scene) -> Sequence[Sent]:
    """Takes many tokens in one go from one network, and uses each once from another."""
    taken = [_opened(client, scene)[1] for _ in range(scene.many)]
    scene.wait(scene.draw.between(HARVEST_S / 2, HARVEST_S))
    found = []
    for shown in taken:
        scene.wait(scene.draw.between(*WITHIN_S))
        visit = Visit(scene.connect(), scene.draw.visitor())
        hands, _ = _forged(scene.draw, visit.visitor)
        found.append(visit.send(shown, written_into(shown.form, visit.visitor), shown.evidence(hands)).sent)
    return found


def address_rotator(_client: Client, scene: Scene) -> Sequence[Sent]:
    """Brings one message again and again, each time from another network, under another name and address."""
    language = scene.draw.one(scene.draw.languages)
    message, found = scene.draw.text(language, Length.MEDIUM), list[Sent]()
    while len(found) < scene.many:
        visitor = replace(scene.draw.visitor(language), message=message)
        found.append(_forging(scene.connect(), scene, visitor))
        scene.wait(scene.draw.between(*WITHIN_S))
    return found


def header_forger(client: Client, scene: Scene) -> Sequence[Sent]:
    """Never saw the page, and claims by headers to be near, trusted, and sent by a script of the site."""
    claimed = scene.draw.one(("127.0.0.1", "10.0.0.1", "::1", scene.draw.network()))
    forged = {
        "x-forwarded-for": claimed,
        "x-real-ip": claimed,
        "forwarded": f'for="{claimed}"',
        "cf-connecting-ip": claimed,
        "x-forwarded-host": "localhost",
        "x-requested-with": "XMLHttpRequest",
    }
    tokens = {}
    if scene.draw.happens(0.5):
        tokens = {TOKEN_FIELD: _made_up(scene.draw), MARKER_FIELD: _made_up(scene.draw)}
    return [_blindly(client, scene, scene.draw.visitor(), forged, tokens)]


def evidence_forger(client: Client, scene: Scene) -> Sequence[Sent]:
    """Speaks the protocol of formwarden's script without a browser: what it counts, its token, its proof of work."""
    return [_forging(client, scene, scene.draw.visitor())]


def json_poster(client: Client, scene: Scene) -> Sequence[Sent]:
    """Posts JSON into the form, by the names that stand on the page."""
    visit, shown = _opened(client, scene)
    scene.wait(scene.draw.between(*HASTY_S))
    return [visit.send_json(shown, written_into(shown.form, visit.visitor)).sent]


def dot_shuffler(_client: Client, scene: Scene) -> Sequence[Sent]:
    """Enters one person's mailbox again and again, spelled differently each time."""
    known = scene.draw.called(scene.draw.one(scene.draw.languages))
    local, _, domain = scene.draw.address(known).replace("_", ".").partition("@")
    domain = MAILBOX if MAILBOX in scene.draw.domains else domain
    found = list[Sent]()
    while len(found) < scene.many:
        visitor = replace(scene.draw.visitor(), address=f"{_shuffled(local, scene.draw, domain)}@{domain}")
        found.append(_forging(scene.connect(), scene, visitor))
        scene.wait(scene.draw.between(*WITHIN_S))
    return found


def name_advertiser(client: Client, scene: Scene) -> Sequence[Sent]:
    """Puts an advert with a link into the name, to be carried to strangers by the reply."""
    link = f"{scene.draw.one(('https://', 'http://', 'www.'))}offer-{scene.draw.number(1, 9999)}.invalid/win"
    name = f"{scene.draw.one(('Bonus', 'Your prize', 'Last chance', '当選', '限定'))} {link}"
    return [_forging(client, scene, replace(scene.draw.visitor(), name=name))]


def _opened(client: Client, scene: Scene) -> tuple[Visit, Shown]:
    visit = Visit(client, scene.draw.visitor())
    return visit, visit.open(scene.path)


def _forging(client: Client, scene: Scene, visitor: Visitor) -> Sent:
    visit = Visit(client, visitor)
    shown = visit.open(scene.path)
    hands, seconds = _forged(scene.draw, visitor)
    scene.wait(seconds)
    return visit.send(shown, written_into(shown.form, visitor), shown.evidence(hands)).sent


def _forged(draw: Draw, visitor: Visitor) -> tuple[Hands, float]:
    """Make up what hands would have done, and the time to wait for it to look true."""
    length = len(visitor.name) + len(visitor.address) + len(visitor.message)
    seconds = length / draw.between(6, 12) + draw.between(2, 10)  # quicker than most people, slower than too fast
    keys = length + draw.number(0, 12)
    return Hands(keys=keys, pointers=4, inputs=keys - 3, focused=3, seconds=seconds), seconds


def _blindly(
    client: Client,
    scene: Scene,
    visitor: Visitor,
    headers: dict[str, str] | None = None,
    more: dict[str, str] | None = None,
) -> Sent:
    """Post without having been there: the first request to the site is the post itself."""
    typed = dict(zip(GUESSED, (visitor.name, visitor.address, visitor.message), strict=True))
    return Visit(client, visitor).blind(scene.path, typed, tuple((more or {}).items()), headers).sent


def _anything(field: Field, draw: Draw) -> str:
    """Say something, whatever was asked."""
    return draw.one(("yes", "https://offer.invalid", draw.name(), str(draw.number(1, 99_999)), field.name))


def _made_up(draw: Draw) -> str:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    return "1." + "".join(draw.one(letters) for _ in range(4)) + "." + "".join(draw.one(letters) for _ in range(86))


def _shuffled(local: str, draw: Draw, domain: str) -> str:
    """Spell a mailbox differently: dots where they mean nothing, else a tag."""
    plain = local.replace(".", "")
    if domain == MAILBOX and draw.happens(0.6):
        return "".join(f"{letter}." if draw.happens(0.3) else letter for letter in plain[:-1]) + plain[-1]
    return f"{local}+{draw.one(('a', 'news', 'shop', 'x'))}{draw.number(1, 999)}"


BOTS: Final = tuple(
    Persona(name=act.__name__.replace("_", "-"), person=False, says=(act.__doc__ or "").strip(), act=act)
    for act in (
        blind_poster,
        fill_all,
        polite_script,
        replayer,
        token_harvester,
        address_rotator,
        header_forger,
        evidence_forger,
        json_poster,
        dot_shuffler,
        name_advertiser,
    )
)
