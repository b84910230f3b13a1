"""How well formwarden and its peers tell bots from people: the same personas against each, side by side."""
