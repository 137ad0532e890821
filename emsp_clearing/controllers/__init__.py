from . import explanation, ocpi
