"""What the page carries, and the pages that are ours; framework-free."""
