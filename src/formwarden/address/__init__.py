"""Whether an address can receive mail: syntax, DNS, and what is known of the provider."""
