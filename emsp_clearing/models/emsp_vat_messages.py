"""What a person can do about VAT that cannot be decided."""


def vat_reason(env, code, names):
    """One sentence for a code of core.vat.

    :param names: dict with `seller`, `buyer`, `seller_country`, `buyer_country`, `countries`, `day`, `rule`.
    """
    return _TEXTS.get(code, _other)(env, names)


def _other(env, names):
    return env._("No VAT rule covers this case: add one, or let the accountant decide on the contract.")


_TEXTS = {
    "seller_country": lambda env, n: env._("Write the country of %(seller)s on its company.", **n),
    "buyer_country": lambda env, n: env._("Write the country of %(buyer)s on its address.", **n),
    "seller_vat": lambda env, n: env._(
        "Reverse charge needs the VAT number of %(seller)s, with the prefix of %(seller_country)s.", **n
    ),
    "buyer_vat": lambda env, n: env._(
        "Reverse charge needs a valid VAT number of %(buyer)s: there is none.", **n
    ),
    "buyer_vat_country": lambda env, n: env._(
        "Reverse charge needs a VAT number of %(buyer)s in %(buyer_country)s, with its prefix.", **n
    ),
    "vies_invalid": lambda env, n: env._(
        "VIES says that the VAT number of %(buyer)s is not valid: ask the partner, then ask VIES again.", **n
    ),
    "buyer_dealer": lambda env, n: env._(
        "Say on the partner whether %(buyer)s is a taxable dealer in electricity.", **n
    ),
    "buyer_dealer_proof": lambda env, n: env._(
        "%(buyer)s is said to be a dealer in electricity: file the proof on the partner.", **n
    ),
    "buyer_dealer_proof_expired": lambda env, n: env._(
        "The proof that %(buyer)s is a dealer in electricity has expired before %(day)s: file a new one.", **n
    ),
    "seller_dealer": lambda env, n: env._(
        "Say on the own company's contact whether %(seller)s is a taxable dealer in electricity.", **n
    ),
    "seller_dealer_proof": lambda env, n: env._(
        "%(seller)s is said to be a dealer in electricity: file the proof on the own company's contact.", **n
    ),
    "seller_dealer_proof_expired": lambda env, n: env._(
        "The proof that %(seller)s is a dealer in electricity has expired before %(day)s: file a new one.",
        **n,
    ),
    "charger_country": lambda env, n: env._(
        "The country of some chargers is not known, or is a territory with VAT rules of its own: "
        "the accountant decides on the contract."
    ),
    "charger_countries": lambda env, n: env._(
        "The chargers stand in several countries (%(countries)s), which are taxed apart as the partner "
        "is no dealer: make one contract for each country.",
        **n,
    ),
    "registration": lambda env, n: env._(
        "VAT is due in the country of the chargers (%(countries)s), where %(seller)s has no VAT number: "
        "register there, and enter the number on a fiscal position of that country.",
        **n,
    ),
    "special_territory": lambda env, n: env._(
        "%(seller_country)s to %(buyer_country)s: a territory with VAT rules of its own is concerned. "
        "The accountant decides on the contract.",
        **n,
    ),
    "national_law": lambda env, n: env._(
        "Rule “%(rule)s” leaves the decision to national law: add a rule, or let the accountant decide on "
        "the contract.",
        **n,
    ),
    "rule_changes": lambda env, n: env._(
        "The VAT rule changes within the period: bill the sessions before and after it on documents "
        "of their own."
    ),
}
