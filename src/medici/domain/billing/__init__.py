"""What was bought, what an owner is entitled to by it, and the credits that it brings.

Nouns: a *lineage* is one purchase over all its renewals, as its store tells it from others; a
*purchase* is how a lineage stands, folded from all that was told about it. A *payment* is one paid
period, trial or pack; credits and revenue hang on it, and *refunds* take them back. An
*entitlement* says which plan an owner holds and which purchase says so; the *effective plan* is
what that means at one moment. The *allowance* is the plan's credits of one day; a *window* is that
day, from one reset to the next, named by the date on which it opened.

Verbs: take a store's news; ask a store; claim a purchase; set an entitlement by hand; override;
sweep what the clock has ended; reconcile with stores; replay the whole inbox; ensure an allowance,
at the first touch of each window.

Invariants: the same messages lead to the same rows, in whatever order and however often they come.
A message and all its effects are written together or not at all. A payment brings credits once. An
owner who is unknown, or whose plan has ended or is gone, has the free plan. A date is allowed once,
however the reset is moved, and nothing given is taken away before its window ends.
"""
