"""What others say of a visitor: Turnstile, ALTCHA or a service of one's own, as evidence and never as a gate."""

from formwarden.vouchers.port import Claim, Vouched, Voucher, VoucherError

__all__ = ["Claim", "Vouched", "Voucher", "VoucherError"]
