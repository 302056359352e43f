"""The inbox: every message that a store sent us, once each, beside what became of it.

A message is written in the transaction of its effects, so a message that is there has had them.
``(source, environment, event_id)`` is unique; a repeat changes nothing.
"""
