"""A complete small site with a guarded contact form."""
