"""Experiments: setting them up, telling which variant is better, and acting on it.

``stats`` judges counts and sums and knows nothing else. The user is the unit of every comparison,
and an outcome counts from that user's first exposure on. Whatever looks again and again decides by
a p-value that stays right under any number of looks; the one that everybody knows is shown beside
it. The ladder hands a winner to 10, 50 and then 100 % of all users without mixing those into the
comparison, and guardrails pause what harms.
"""
