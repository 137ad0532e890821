"""What is wrong with a bank statement or a remittance advice, in words for people."""


def statement_problem(env, error):
    """:param error: a StatementError of core.
    :return: one translated sentence that names the line."""
    texts = {
        "unreadable": env._("it cannot be read: %s", error.params.get("text", "")),
        "account_missing": env._("the statement does not name its account (field 25)."),
        "opening_missing": env._("there is no opening balance (field 60); it may be an interim report."),
        "closing_missing": env._("there is no closing balance (field 62); the file may be cut off."),
        "currencies_differ": env._("opening and closing balance are in different currencies."),
    }
    return env._("Line %(line)s: %(problem)s", line=error.params["line"], problem=texts[error.code])
