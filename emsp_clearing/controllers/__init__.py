from . import explanation, ocpi, portal, portal_cdrs, verify
