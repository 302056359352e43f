"""What an owner is entitled to: a plan, and the credits that it gives each day.

Nouns: an *entitlement* says which plan an owner holds, in what state, and which source says so;
the *effective plan* is what that means at one moment. The *allowance* is the plan's credits of one
day; a *window* is that day, from one reset to the next, named by the date on which it opened.

Verbs: set an entitlement by hand; ensure an allowance, at the first touch of each window.

Invariants: an owner who is unknown, or whose plan has ended or is gone, has the free plan. A date
is allowed once, however the reset is moved, and nothing given is taken away before its window ends.
"""
