"""Guards inquiry forms, and decides separately whether an auto-reply may leave."""
