"""Errors of core: a code, the path of the field and parameters; never a translated text."""


class CoreError(Exception):
    """`code` names the problem, `path` the field of the payload, `params` what was expected and got.

    Its text is plain English for a partner's system or a log. People are shown a translated
    sentence made from the code.
    """

    def __init__(self, code: str, path: str | None = None, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.path = path
        self.params = params

    def __str__(self) -> str:
        """`<path>: expected ..., got ...`, as far as it is known."""
        details = ", ".join(f"{name} {value}" for name, value in self.params.items())
        return f"{self.path or self.code}: {details or self.code}"


class PayloadError(CoreError):
    """A message of a partner that cannot be read."""


class PricingError(CoreError):
    """A session that cannot be priced without guessing."""


class LifecycleError(CoreError):
    """A step that the life cycle does not allow."""


class InvoicingError(CoreError):
    """Amounts that do not add up."""


class SheetError(CoreError):
    """A spreadsheet of a partner that cannot be read as a whole."""


class StatementError(CoreError):
    """A bank statement or a remittance advice that cannot be read; `params["line"]` counts from 1."""
