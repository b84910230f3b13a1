"""The signals that run, and where two of them say the same."""

from typing import Final

from formwarden.scoring import Composite, Signal
from formwarden.signals import (
    address,
    around,
    behaviour,
    consistency,
    content,
    headers,
    offers,
    outside,
    repeats,
    timing,
    token,
    trap,
)

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
    behaviour.work_missing,
    behaviour.work_solved,
    headers.cross_site_stale_page,
    headers.cross_site_post,
    consistency.user_agent_missing,
    consistency.accept_language_missing,
    consistency.accept_language_odd,
    consistency.accept_missing,
    consistency.brotli_missing,
    consistency.fetch_metadata_missing,
    consistency.fetch_metadata_contradicts,
    consistency.client_hints_missing,
    consistency.client_hints_contradict,
    consistency.headless_named,
    consistency.library_named,
    consistency.obsolete_browser,
    content.urls,
    content.url_in_name,
    content.markup,
    content.mixed_script,
    content.styled_letters,
    content.one_value_everywhere,
    content.gibberish,
    content.site_domain_in_text,
    offers.one_sided,
    around.bare_link,
    around.name_suffix,
    around.six_digits,
    around.search_engine_as_website,
    around.tag_with_digits,
    around.price_probe,
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
    repeats.form_velocity,
    outside.client_listed,
    outside.voucher_failed,
    outside.voucher_missing,
)
"""In the order of `formwarden`'s reference; the sum does not depend on it."""

LATE_GROUPS: Final = frozenset({"address", "outside"})
LATE: Final = (
    repeats.domain_velocity,
    behaviour.no_interaction,
    behaviour.script_missing,
)  # a voucher clears the latter
EARLY_SIGNALS: Final[tuple[Signal, ...]] = tuple(
    each for each in DEFAULT_SIGNALS if each.group not in LATE_GROUPS and each not in LATE
)
"""Those that never read what others say: they say the same before DNS and vouchers have answered and after."""

DEFAULT_COMPOSITES: Final[tuple[Composite, ...]] = (
    Composite(when=frozenset({"same_text"}), silences=frozenset({"near_text"})),  # a copy is alike, too
    Composite(  # one proxy takes both out
        when=frozenset({"fetch_metadata_missing"}), silences=frozenset({"client_hints_missing"})
    ),
    Composite(
        when=frozenset({"address_control_characters"}),
        silences=frozenset({"address_invalid", "address_invalid_again"}),
    ),
)
"""A signal that asks never silences one that does not: more evidence must not be treated more kindly."""
