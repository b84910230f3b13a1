"""English inquiries, as parts: every sentence is composed anew, so that no two texts share more than a phrase."""

from collections.abc import Mapping
from typing import Final

from formwarden.testing.personas.word_lists import word_lists

OPENINGS: Final = (
    "Hello,",
    "Good morning,",
    "Hi there,",
    "Dear all,",
    "Good evening,",
    "To whom it may concern,",
    "",
)
CLOSINGS: Final = (
    "Kind regards",
    "Thank you",
    "Many thanks",
    "Best wishes",
    "Thanks a lot",
    "Yours",
    "",
)

# A word in braces is one of its list; `a` becomes `an` where it must.
SENTENCES: Final = (
    "Do you {work} {odd} {things} from the {decade}?",
    "My {who}'s {thing} {fails} ever since {event}.",
    "We need {count} {things} before {day}, {odd} ones if possible.",
    "Is {thing} number {number} still available in {colour}?",
    "A {who} from {town} named you after {event}.",
    "How many weeks does {working} {a} {thing} take during {month}?",
    "Roughly {price} euros was what my {who} paid for {working} hers in {town}.",
    "Could my {who} collect it on {day} around {hour}?",
    "Please ring my {who} instead of me, because {reason}.",
    "I moved to {town} last {month} with {a} {odd} {thing}.",
    "On {day} {a} {thing} arrived here {broken}, order {number}.",
    "Which {thing} suits {someone} who {lives} near {town}?",
    "Your page lists {things} in {colour}, yet {odd} ones {are_missing}.",
    "Would {hour} on {day} suit you, or rather sometime in {month}?",
    "{Working} the {thing} myself ended {badly}.",
    "May we borrow {a} {odd} {thing} while ours is in {town}?",
    "The {part} of this {thing} {fails} whenever {when}.",
    "Last {month} you {worked} our {thing}, invoice {number}, and the {part} {fails} again.",
    "Does {working} include the {part}, or is that {price} euros more?",
    "For {event} in {month} our {who} wants {count} {odd} {things}.",
    "{Count} people from {town} would come along, one of them {lives} with {a} {odd} {thing}.",
    "Until {day} the {thing} stays with my {who}, who {lives} by {town}.",
    "Parcel {number} reached {town} without its {part}.",
    "Nobody in {town} seems to {work} {odd} {things} any more.",
    "{When} the {part} turns {colour}, is that normal?",
    "Our {who} measured {number} millimetres at the {part}; does {a} {odd} {thing} fit?",
)

WORDS: Final = word_lists("""
work: repair restore tune paint varnish appraise clean rent exchange rebuild engrave polish adjust ship store
work: translate reprint deliver upholster sharpen inspect weld frame rewire digitise
working: repairing restoring tuning painting varnishing appraising cleaning renting exchanging rebuilding
working: engraving polishing adjusting shipping storing translating reprinting delivering upholstering
working: sharpening inspecting welding framing rewiring digitising
worked: repaired restored tuned painted varnished appraised cleaned rented exchanged rebuilt engraved polished
worked: adjusted shipped stored translated reprinted delivered upholstered sharpened inspected welded framed
worked: rewired digitised
odd: old small left-handed heavy carved folding wooden borrowed cracked brass waterproof narrow wide round
odd: silent light unusual Italian French hollow electric simple painted tall second-hand
thing: violin cello bow guitar lamp chair table bicycle clock tent kettle saddle boat piano flute drum camera
thing: mirror stove loom ladder kayak typewriter telescope gate
things: violins cellos bows guitars lamps chairs tables bicycles clocks tents kettles saddles boats pianos
things: flutes drums cameras mirrors stoves looms ladders kayaks typewriters telescopes gates
part: handle bridge spring screw strap hinge cover lid wheel string lens pedal belt switch neck rim cable drawer
part: button lock bolt shade label case lining
who: daughter uncle neighbour teacher aunt grandmother son choir colleague brother sister landlord cousin wife
who: husband friend nephew niece team pupil godson tenant choirmaster captain nurse
someone: a beginner, somebody tall, a pupil of nine, one person, an amateur, a retired sailor
decade: twenties thirties forties fifties sixties seventies eighties nineties
day: Monday Tuesday Wednesday Thursday Friday Saturday Sunday
month: January February March April May June July August September October November December
colour: black white red green blue yellow grey brown orange purple beige silver ivory ochre
town: Leeds Bristol Cork Galway Ghent Basel Lyon Turin Porto Bergen Aarhus Tampere Graz Brno Gdansk Halifax
town: Hobart Perth Nelson Boulder Austin Salem Kobe Nagoya Sapporo
count: two three four five six seven eight nine ten eleven twelve fifteen twenty thirty
hour: nine noon eleven three half-past-two four five six lunchtime dusk ten one
fails: rattles squeaks leaks sticks hums wobbles slips buzzes jams creaks fades drags scratches bends clicks
fails: stalls flickers swells
broken: dented open wet torn scratched empty bent mouldy half-packed upside-down unlabelled cold
badly: in tears, quite badly, as expected, halfway, with stitches, too soon, at midnight
lives: works sings studies camps lives paints teaches sails gardens travels cycles farms
event: the flood, our wedding, Easter, a concert, the fair, moving house, that storm, the marathon, a recital
event: graduation, the power cut, her birthday, the regatta, a funeral, spring cleaning
when: it rains, somebody sits down, frost comes, doors slam, we travel, the heating starts, dogs bark
when: nights get cold, children help, it stands upright, the sun shines, trams pass, we lift it
reason: nights are my shift, my hearing fails, she speaks better English, our line is down, he owns it
reason: I travel until autumn, mornings are difficult, the baby sleeps, his office pays
are_missing: seem missing, cost double, show no price, open a blank page, lack photographs, look sold
""")
WORDS_FROM: Final[Mapping[str, tuple[int, int]]] = {"number": (100, 99_999), "price": (15, 2_400)}

NAMES: Final = word_lists("""
given: Alice Anna Ben Carla Charles Clara Daniel David Eleanor Emma Ethan Fiona Frank George Grace Hannah Harry
given: Helen Ian Isabel Jack James Jane Julia Karen Laura Leo Liam Lucy Maria Mark Martin Mary Maya Nina Noah
given: Oliver Olivia Oscar Paul Peter Rachel Robert Rosa Ruth Sam Sarah Simon Sophie Thomas Tom Vera Victor
given: Walter William Zoe
family: Adams Allen Andrews Bailey Baker Barnes Bell Bennett Brooks Brown Butler Carter Clark Collins Cooper
family: Costa Cox Davies Diaz Dubois Edwards Evans Fischer Fisher Foster Garcia Gibson Gray Green Hall Hansen
family: Harris Hill Hughes Jensen Johnson Jones Kelly King Lewis Lopez Martin Mason Miller Moore Morgan Morris
family: Murphy Nelson Novak Owen Parker Patel Perez Phillips Price Reed Roberts Rossi Russell Scott Silva
family: Simpson Singh Taylor Turner Walker Ward Watson Weber White Wilson Wood Young
""")
