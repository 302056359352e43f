"""Analytics: what clients report, and what all facts add up to.

Facts come in through the door once each; rollups over them are kept by the hour, so that no answer
reads raw facts of more than the running hour.
"""
