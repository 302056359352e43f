"""The backend of a business that sells AI-generated images."""
