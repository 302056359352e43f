"""The inbox: every message that a store sent us, once each, beside what became of it.

A message is written in the transaction of its effects, so a message that was processed has had
them. One that only says that something changed is kept as received, until its store was asked.
``(source, environment, event_id)`` is unique; a repeat changes nothing.
"""
