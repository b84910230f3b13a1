"""Whether an address may be mailed, what the mail says, and how it leaves."""
