"""Analytics: what clients report, and what all facts add up to.

Nouns: cell (alike facts of an hour or a day, added up), latency bin, actor (a user, or a device
that nobody has signed in on), window. Verbs: judge what is reported, roll up, add up, follow
actors through a funnel, follow cohorts.

A fact comes in once. Hours that are over are rolled up; an answer adds up their cells and reads raw
facts of no more than the hours at either end of its window. What is rolled up can be computed anew
from the facts at any time, and is, for every hour that a late fact belongs to.
"""
