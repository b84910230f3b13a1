"""The signals that run, and where two of them say the same."""

from typing import Final

from formwarden.scoring import Composite, Signal
from formwarden.signals import address, behaviour, content, headers, repeats, timing, token, trap

DEFAULT_SIGNALS: Final[tuple[Signal, ...]] = (
    trap.trap_filled,
    trap.trap_missing,
    token.token_missing,
    token.page_missing,
    token.marker_tampered,
    token.token_stale,
    token.token_rotated,
    token.token_other_form,
    token.token_replayed,
    token.token_tampered,
    token.lineage_spent,
    timing.too_young,
    timing.typed_too_fast,
    behaviour.automation_flag,
    behaviour.no_interaction,
    behaviour.evidence_unbound,
    behaviour.script_missing,
    headers.cross_site_stale_page,
    headers.cross_site_post,
    headers.user_agent_missing,
    headers.accept_language_missing,
    headers.accept_missing,
    headers.fetch_metadata_missing,
    content.urls,
    content.url_in_name,
    content.markup,
    content.mixed_script,
    content.styled_letters,
    content.one_value_everywhere,
    content.gibberish,
    content.site_domain_in_text,
    address.address_control_characters,
    address.address_invalid,
    address.address_invalid_again,
    address.several_addresses,
    address.address_undeliverable,
    address.address_undeliverable_again,
    address.address_own_domain,
    address.address_weak,
    repeats.same_text,
    repeats.near_text,
    repeats.client_velocity,
    repeats.network_velocity,
    repeats.address_velocity,
    repeats.domain_velocity,
)
"""In the order of `formwarden`'s reference; the sum does not depend on it."""

EARLY_SIGNALS: Final[tuple[Signal, ...]] = tuple(
    each for each in DEFAULT_SIGNALS if each.group != "address" and each is not repeats.domain_velocity
)
"""Those that never read what is known of the address: they say the same before DNS has answered and after."""

DEFAULT_COMPOSITES: Final[tuple[Composite, ...]] = (
    Composite(when=frozenset({"same_text"}), silences=frozenset({"near_text"})),  # a copy is alike, too
    Composite(
        when=frozenset({"address_control_characters"}),
        silences=frozenset({"address_invalid", "address_invalid_again"}),
    ),
)
"""A signal that asks never silences one that does not: more evidence must not be treated more kindly."""
