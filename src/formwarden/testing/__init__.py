"""For the test suite of a site: DNS that behaves as it is told, a clock that is moved, and visitors.

```
dns = FakeDNS()
warden = Warden(form, settings=settings, resolver=dns)  # in process
address = f"taro@{dns.domain('null_mx')}"               # its domain takes no mail

with dns.served() as server:                            # or over UDP and TCP, for another process
    environment = {"FORMWARDEN_DNS_SERVERS": server}
```

`reply_leaks(reply)` says what an auto-reply would carry that is not the site's.
`Clock` moves time by hand; bots and people that visit a form are in `formwarden.testing.personas`.
"""

from formwarden.testing.dns_rows import DNS_ROWS, DnsRow
from formwarden.testing.fake_dns import FakeDNS
from formwarden.testing.movable_clock import Clock
from formwarden.testing.reply_lint import reply_leaks

__all__ = ["DNS_ROWS", "Clock", "DnsRow", "FakeDNS", "reply_leaks"]
