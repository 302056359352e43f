"""Analysis: from rows to figures to a recommendation.

Rows stay in the database: it adds up each user's facts, then each variant's users, and gives back
some sums per variant. Those are all that the statistics need.

Two cohorts are told apart. Users first exposed within the last hours are described and get the
p-value that everybody knows; all users of the phase decide.
"""
