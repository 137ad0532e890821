"""Actions that open a form over the screen."""


def dialog(record, title, view_id=False, **options):
    """:param record: recordset of the form's model; empty for a new one.
    :param view_id: id of the form; by default the model's first. :param options: further keys of the action.
    """
    return {
        "type": "ir.actions.act_window",
        "name": title,
        "res_model": record._name,
        "res_id": record.id,
        "view_mode": "form",
        "views": [(view_id, "form")],
        "target": "new",
        **options,
    }
