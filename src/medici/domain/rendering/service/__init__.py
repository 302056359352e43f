"""Commands of a render, one module per use case: submit, attempt, settle, cancel."""
