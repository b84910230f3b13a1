"""People who write to a site. None of them is a program, however oddly they come along."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from formwarden.testing.personas.drawing import JAPANESE, Draw, Length, Visitor
from formwarden.testing.personas.evidence import Hands
from formwarden.testing.personas.form_page import Form, Role
from formwarden.testing.personas.scene import Client, Persona, Scene, Seen, Sent
from formwarden.testing.personas.visit import Answered, Pairs, Shown, Visit, written_into

# Typing on desktops: 52 words a minute on average, most people 35 to 65, few above 100; on phones 36 (studies of
# 168,000 and 37,000 people). A word is five letters.
LETTERS_PER_S: Final = (35 * 5 / 60, 65 * 5 / 60)
QUICK_PER_S: Final = 100 * 5 / 60
QUICK: Final = 0.05  # of all people
IME_KEYS: Final = (1.6, 2.6)  # keys for one Japanese letter, conversion included
IME_PER_S: Final = (1.0, 2.5)  # letters
SLIPS: Final = (0.02, 0.08)  # of all keys are corrections
LOOK_S: Final = (2.0, 9.0)  # at the page, before the first letter
BETWEEN_S: Final = (0.6, 2.5)  # two fields
READ_AGAIN_S: Final = (2.5, 12.0)  # a page that asks, before its button
ASKED_AT_MOST: Final = 4  # answers to questions; whoever is asked more goes away
CACHED_S: Final = (1_800.0, 200_000.0)  # a page lay in a cache
THREE_HOURS_S: Final = 10_800.0
OFFICE: Final = 30
COFFEE_S: Final = (20.0, 240.0)  # between two people of an office

Writing = Callable[[Scene, Visitor, Form], tuple[Hands, float]]  # what hands do, and how long it takes


def typed(draw: Draw, visitor: Visitor, form: Form, *, without: frozenset[Role] = frozenset()) -> tuple[Hands, float]:
    """Tell what typing everything takes, less the fields that are filled in another way."""
    texts = {Role.PERSON: visitor.name, Role.ADDRESS: visitor.address, Role.MESSAGE: visitor.message}
    speed = QUICK_PER_S if draw.happens(QUICK) else draw.between(*LETTERS_PER_S)
    keys, inputs, focused, seconds = 0, 0, 0, draw.between(*LOOK_S)
    for field in form.fields:
        text = texts.get(field.role, "")
        if not text:
            continue
        focused += 1
        seconds += draw.between(*BETWEEN_S)
        if field.role in without:
            continue
        foreign = not text.isascii()
        pressed = round(len(text) * (draw.between(*IME_KEYS) if foreign else 1) * (1 + draw.between(*SLIPS)))
        keys += pressed + 1  # and the tabulator
        inputs += pressed
        seconds += len(text) / (draw.between(*IME_PER_S) if foreign else speed)
    hands = Hands(keys=keys, pointers=draw.number(1, 6), inputs=inputs, focused=focused, seconds=seconds)
    return hands, seconds


def patient_typist(client: Client, scene: Scene) -> Sequence[Sent]:
    """Types everything, and reads it again before sending."""
    return _written(client, scene, scene.draw.visitor(), _by_typing)


def paster(client: Client, scene: Scene) -> Sequence[Sent]:
    """Wrote the message elsewhere and pastes it."""

    def pasting(scene: Scene, visitor: Visitor, form: Form) -> tuple[Hands, float]:
        hands, seconds = typed(scene.draw, visitor, form, without=frozenset({Role.MESSAGE}))
        return replace(hands, pastes=1, inputs=hands.inputs + 1), seconds

    return _written(client, scene, scene.draw.visitor(length=Length.LONG), pasting)


def autofill_customer(client: Client, scene: Scene) -> Sequence[Sent]:
    """Lets the browser fill in name and address, and is quick."""

    def filling(scene: Scene, visitor: Visitor, form: Form) -> tuple[Hands, float]:
        known = frozenset({Role.PERSON, Role.ADDRESS})
        hands, seconds = typed(scene.draw, visitor, form, without=known)
        names = [field.name for field in form.fields if field.role in known]
        return replace(hands, autofilled=names, inputs=hands.inputs + len(names)), seconds

    return _written(client, scene, scene.draw.visitor(length=Length.SHORT), filling)


def no_script_reader(client: Client, scene: Scene) -> Sequence[Sent]:
    """Has scripts switched off."""
    return _written(client, scene, scene.draw.visitor(), _by_typing, scripts=False)


def two_tabs(client: Client, scene: Scene) -> Sequence[Sent]:
    """Opens the form in two tabs, and sends a different question from each."""
    visitor = scene.draw.visitor()
    other = replace(visitor, message=scene.draw.text(visitor.language))
    first, second = Visit(client, visitor), Visit(client, other)
    pages = first.open(scene.path), second.open(scene.path)
    scene.wait(scene.draw.between(*LOOK_S))
    found = _fill_and_send(first, pages[0], scene, _by_typing)
    scene.wait(scene.draw.between(*BETWEEN_S))
    return [*found, *_fill_and_send(second, pages[1], scene, _by_typing)]


def back_button(client: Client, scene: Scene) -> Sequence[Sent]:
    """Sends, goes back to the filled form, adds a sentence, and sends again."""
    visitor = scene.draw.visitor()
    scripts = scene.draw.happens(0.8)
    visit = Visit(client, visitor)
    shown = visit.open(scene.path)
    found = _fill_and_send(visit, shown, scene, _by_typing, scripts=scripts)
    scene.wait(scene.draw.between(*READ_AGAIN_S))
    more = scene.draw.text(visitor.language, Length.SHORT)
    visit.visitor = replace(visitor, message=f"{visitor.message}\n{more}")
    shown = visit.renewed(shown) if scripts else shown  # from the back/forward cache: the script asks for a token

    def adding(scene: Scene, _visitor: Visitor, form: Form) -> tuple[Hands, float]:
        return typed(scene.draw, replace(visitor, name="", address="", message=more), form)

    return [*found, *_fill_and_send(visit, shown, scene, adding, scripts=scripts)]


def slow_writer(client: Client, scene: Scene) -> Sequence[Sent]:
    """Writes for three hours."""

    def slowly(scene: Scene, visitor: Visitor, form: Form) -> tuple[Hands, float]:
        hands, seconds = typed(scene.draw, visitor, form)
        return hands, seconds + THREE_HOURS_S * scene.draw.between(0.9, 1.1)

    return _written(client, scene, scene.draw.visitor(length=Length.LONG), slowly)


def tab_closer(client: Client, scene: Scene) -> Sequence[Sent]:
    """Mistypes the address, and closes the tab at every page that asks for another click."""
    visitor = scene.draw.visitor()
    visit = Visit(client, replace(visitor, address=_mistyped(visitor.address, scene.draw)))
    shown = visit.open(scene.path)
    return _fill_and_send(visit, shown, scene, _by_typing, answers=0, scripts=scene.draw.happens(0.8))


def cached_page(client: Client, scene: Scene) -> Sequence[Sent]:
    """Has the page from a cache, where it lay for half an hour or for two days."""
    scripts = scene.draw.happens(0.6)
    visit = Visit(client, scene.draw.visitor())
    shown = visit.open(scene.path)
    scene.wait(scene.draw.between(*CACHED_S))
    shown = visit.renewed(shown) if scripts else shown
    return _fill_and_send(visit, shown, scene, _by_typing, scripts=scripts)


def corrected_typo(client: Client, scene: Scene) -> Sequence[Sent]:
    """Mistypes the address, is asked, and corrects it."""
    visitor = scene.draw.visitor()
    wrong = _mistyped(visitor.address, scene.draw)
    visit = Visit(client, replace(visitor, address=wrong))
    shown = visit.open(scene.path)
    return _fill_and_send(visit, shown, scene, _by_typing, corrects={wrong: visitor.address})


def office_of_thirty(client: Client, scene: Scene) -> Sequence[Sent]:
    """Thirty people behind one network address, each with a question and a computer of their own."""
    found = list[Sent]()
    for _ in range(OFFICE):
        found += _written(client, scene, scene.draw.visitor(), _by_typing)
        scene.wait(scene.draw.between(*COFFEE_S))
    return found


def japanese_writer(client: Client, scene: Scene) -> Sequence[Sent]:
    """Writes Japanese through an input method."""
    return _written(client, scene, scene.draw.visitor(JAPANESE), _by_typing)


def _by_typing(scene: Scene, visitor: Visitor, form: Form) -> tuple[Hands, float]:
    return typed(scene.draw, visitor, form)


def _written(
    client: Client, scene: Scene, visitor: Visitor, writing: Writing, *, scripts: bool = True
) -> Sequence[Sent]:
    visit = Visit(client, visitor)
    return _fill_and_send(visit, visit.open(scene.path), scene, writing, scripts=scripts)


def _fill_and_send(
    visit: Visit,
    shown: Shown,
    scene: Scene,
    writing: Writing,
    *,
    scripts: bool = True,
    answers: int = ASKED_AT_MOST,
    corrects: Mapping[str, str] | None = None,
) -> Sequence[Sent]:
    """Fill in and send, and answer whatever page asks for another click; `corrects`: wrong text, right text."""
    hands, seconds = writing(scene, visit.visitor, shown.form)
    scene.wait(seconds)
    values = written_into(shown.form, visit.visitor)
    answer = visit.send(shown, values, shown.evidence(hands) if scripts else ())
    found = [answer.sent]
    while answer.sent.seen is Seen.ASKED and answer.again is not None and len(found) <= answers:
        scene.wait(scene.draw.between(*READ_AGAIN_S))
        values = {name: (corrects or {}).get(value, value) for name, value in values.items()}
        answer = _clicked(visit, answer.again, values, scripts=scripts)
        found.append(answer.sent)
    return found


def _clicked(visit: Visit, shown: Shown, values: Mapping[str, str], *, scripts: bool) -> Answered:
    """Press the button of the page that asks: what stands there goes again, corrected where it can be."""
    field_of = {name: shown.form.field(name) for name in values}
    changed = {name: values[name] for name, field in field_of.items() if field is not None and field.kind != "hidden"}
    stands = {name: field.value for name, field in field_of.items() if field is not None}
    moved = {name: text for name, text in changed.items() if text != stands[name]}
    hands = Hands(
        keys=sum(map(len, moved.values())), pointers=1, inputs=len(moved), focused=1 + len(moved), seconds=5
    )
    more: Pairs = shown.evidence(hands) if scripts else ()
    return visit.send(shown, stands | changed, more)


def _mistyped(address: str, draw: Draw) -> str:
    """Mistype an address so that mail to it can go nowhere, to no stranger either."""
    local, _, domain = address.rpartition("@")
    return draw.one(
        (f"{local}@{domain.replace('.', ',')}", f"{local}@{domain.replace('.', '')}", f"{local}@@{domain}")
    )


PEOPLE: Final = tuple(
    Persona(name=act.__name__.replace("_", "-"), person=True, says=(act.__doc__ or "").strip(), act=act)
    for act in (
        patient_typist,
        paster,
        autofill_customer,
        no_script_reader,
        two_tabs,
        back_button,
        slow_writer,
        tab_closer,
        cached_page,
        corrected_typo,
        office_of_thirty,
        japanese_writer,
    )
)
