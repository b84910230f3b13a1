"""Which inquiries are alike, by the fingerprints that were kept with them (prints.py)."""

from collections.abc import Sequence

from formwarden.stores.ports import Inquiry


def in_groups(inquiries: Sequence[Inquiry]) -> tuple[tuple[Inquiry, ...], ...]:
    """Put together what shares a fingerprint, directly or through others; the smallest groups come first.

    So whoever is like nobody else is read before a flood. Within a group, and among groups of one size, the order
    stays.
    """
    leader = list(range(len(inquiries)))

    def lead(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    first_with: dict[str, int] = {}
    for number, inquiry in enumerate(inquiries):
        for each in prints_of(inquiry):
            one, other = lead(first_with.setdefault(each, number)), lead(number)
            leader[max(one, other)] = min(one, other)
    groups: dict[int, list[Inquiry]] = {}
    for number, inquiry in enumerate(inquiries):
        groups.setdefault(lead(number), []).append(inquiry)
    return tuple(sorted((tuple(group) for group in groups.values()), key=len))


def prints_of(inquiry: Inquiry) -> tuple[str, ...]:
    """Return the fingerprints that stand in its facts; none for a short text, or one that was not judged."""
    observation = inquiry.facts.get("observation")
    prints = observation.get("prints") if isinstance(observation, dict) else None
    return tuple(each for each in prints if isinstance(each, str)) if isinstance(prints, list) else ()
