"""Statistics of experiments: pure functions on counts and sums, fractions in and fractions out.

Which comparison fits which metric: ``two_proportion`` for who did something at all, ``welch`` for
how much per user, ``ratio_delta`` for a ratio of two such sums. Control always comes first, and
differences are challenger minus control. ``sequential`` and ``group_sequential`` turn a difference
and its standard error into what may be looked at again and again; ``holm`` keeps several
challengers honest; ``srm`` tells whether users were split as they should have been. What cannot be
told is None, never an error.
"""
