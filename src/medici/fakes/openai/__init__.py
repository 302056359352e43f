"""A stand-in for OpenAI's Images API: as strict as the real one; it paints one plain colour."""
