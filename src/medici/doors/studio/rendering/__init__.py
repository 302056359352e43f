"""Pictures in, renders, pictures out."""
