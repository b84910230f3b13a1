"""For the test suite of a site: DNS that behaves as it is told, without a network.

```
dns = FakeDNS()
warden = Warden(form, settings=settings, resolver=dns)  # in process
address = f"taro@{dns.domain('null_mx')}"               # its domain takes no mail

with dns.served() as server:                            # or over UDP and TCP, for another process
    environment = {"FORMWARDEN_DNS_SERVERS": server}
```
"""

from formwarden.testing.dns_rows import DNS_ROWS, DnsRow
from formwarden.testing.fake_dns import FakeDNS

__all__ = ["DNS_ROWS", "DnsRow", "FakeDNS"]
