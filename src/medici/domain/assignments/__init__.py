"""Assignments: which variant of an experiment a user sees, from when on, and what they saw.

An **experiment** splits users among its **variants** by a hash of their id; an **assignment** keeps
what the hash once said, so that no later change of weights moves anybody; an **exposure** is the
moment from which a user's outcomes count. A **phase** is a stretch of time during which nothing
that would bias a comparison was changed; only assignments made in the current phase are compared.
The **ladder** hands a winner to a growing share of everybody; whoever stands on it is no longer
compared from then on.

While an experiment runs, a user's variant changes only by the ladder, because the variant is gone,
or because everybody is drawn anew.
"""
