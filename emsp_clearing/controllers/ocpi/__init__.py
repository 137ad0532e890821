from . import cdrs, dispatcher, fallback, versions
