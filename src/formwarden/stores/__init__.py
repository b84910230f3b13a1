"""What must be remembered: counters, ledger, inquiries. Three ports, and what fulfils them."""
