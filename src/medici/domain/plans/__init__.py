"""What is sold and how it is tuned: plans, packs, styles, variables and the discover feed.

Nouns: a Plan says how many credits it gives and what a render costs in it, a Pack is credits that
are bought once, a Style a look with the words that a provider gets. A Variable is read at run time
by whoever defines a Tunable for it; a value that makes no sense counts as the default. The feed
holds sections of rooms before and after.
Verbs: save, withdraw, delete, seed, set; each tells what the row was and what it is.

Invariants: a store's product is one plan's or pack's; a plan that is withdrawn stays readable for
those who hold it, and the free plan never goes; a known variable takes its type within its bounds
alone; the database itself counts every change of plans, styles and variables. Defaults are
installed into empty tables alone, so what an operator deletes stays deleted.
"""
