"""Provider settings: drafts, versions, canaries, dry runs, and what a route would choose."""
