"""Bots and people who visit a form over HTTP: plain functions over a client of httpx, httpx2 or Starlette.

```
draw = Draw(1, domains=("*.example.com",))  # a domain of yours: addresses below it are typed into the form
scene = Scene(path="/contact", draw=draw, wait=clock.move, connect=client)
for persona in PEOPLE:
    assert persona.act(client(), scene)[-1].seen is not Seen.REJECTED
```
"""

from formwarden.testing.personas.bots import BOTS
from formwarden.testing.personas.drawing import Draw, Length, Name, Visitor
from formwarden.testing.personas.headers import BROWSERS, Browser
from formwarden.testing.personas.people import PEOPLE
from formwarden.testing.personas.scene import Act, Client, Persona, Response, Scene, Seen, Sent

__all__ = [
    "BOTS",
    "BROWSERS",
    "PEOPLE",
    "Act",
    "Browser",
    "Client",
    "Draw",
    "Length",
    "Name",
    "Persona",
    "Response",
    "Scene",
    "Seen",
    "Sent",
    "Visitor",
]
