"""What providers charge, and since when.

Nouns: a *row* prices some models of one provider from a date on and names its source. Rows come in
three kinds: a price for one *unit*; *rates* for tokens; what a *typical* picture costs where the
bill comes in tokens.

Verbs: look up a unit's price; compute what tokens cost; estimate a picture.

Invariants: a price that nobody knows is None and never zero; what image tokens cost is never taken
from the rate of text; money is exact and rounded once, half to even, to millionths of a dollar; the
network is never asked, so the same version always gives the same answer.
"""
