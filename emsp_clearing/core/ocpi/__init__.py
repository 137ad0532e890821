"""OCPI payloads and answers, apart from HTTP and from the database."""
