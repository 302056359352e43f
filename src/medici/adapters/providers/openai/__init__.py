"""OpenAI's Images API: one call that is paid for, works while we wait, and is never repeated."""
