"""Facts: what happened, when, to whom, and what it cost. Everybody records them here.

A fact is never edited; analytics and insights read it back, privacy and retention remove it. It
stands on its own, so it points at plans, styles and render jobs without a foreign key: those may
go while the fact stays true. ``trusted`` tells our own and the operator's facts from a client's
claims, which never count in server metrics.
"""
