"""What is on offer: plans, packs, styles, variables, the feed; and their audit."""
