from . import explanation, ocpi, verify
