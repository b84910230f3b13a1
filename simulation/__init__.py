"""Days and months of a site's auto-replies: a clock moved by hand, the real gate, the real store."""
