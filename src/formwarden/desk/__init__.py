"""What the owner does with kept inquiries."""
