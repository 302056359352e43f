"""Stand-ins for image providers: HTTP servers that speak a vendor's API and misbehave on order.

``medici fakes fal`` starts one. Each has a **plane** beside the vendor's own routes, from which it
is told what to get wrong (``POST /__fake/faults``), asked what it saw (``GET /__fake/requests``,
``GET /__fake/work``) and moved in time (``POST /__fake/clock``). The same seed and the same
requests give the same answers.

They are servers of aiohttp because they have to cut connections, which ASGI cannot ask for.
"""
