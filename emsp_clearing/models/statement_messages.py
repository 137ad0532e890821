"""What is wrong with a bank statement or a remittance advice, in words for people."""


def statement_problem(env, error):
    """:param error: a StatementError of core.
    :return: one translated sentence that names the line."""
    text = error.params.get("text", "")
    texts = {
        "unreadable": env._("it cannot be read: %s", text),
        "account_missing": env._("the statement does not name its account (field 25)."),
        "opening_missing": env._("there is no opening balance (field 60); it may be an interim report."),
        "closing_missing": env._("there is no closing balance (field 62); the file may be cut off."),
        "currencies_differ": env._("opening and closing balance are in different currencies."),
        "amount": env._("“%s” is no amount, or one that can be read in two ways.", text),
        "amount_missing": env._("the amount of %s is missing.", text),
        "reference_missing": env._("an amount stands without a document."),
        "total_differs": env._(
            "the total is %(stated)s, but the rows add up to %(counted)s.",
            stated=error.params.get("stated"),
            counted=error.params.get("counted"),
        ),
    }
    return env._("Line %(line)s: %(problem)s", line=error.params["line"], problem=texts[error.code])


def remittance_file_problem(env, error):
    """:param error: a SheetError of core about a remittance advice."""
    texts = {
        "too_large": env._("The file is too large for a remittance advice."),
        "hostile": env._("The file unfolds to far more than a remittance advice holds."),
        "unreadable": env._("The file is no spreadsheet (.xlsx), CSV file or CAMT.054 notification."),
        "no_heads": env._(
            "No row has the heads of the columns: one for the invoice number, one for the amount paid."
        ),
        "too_many_rows": env._("The list has too many rows."),
        "empty": env._("No row below the heads names a document."),
    }
    return texts[error.code]
