from collections import defaultdict

from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..core.errors import PayloadError
from . import party

# A hub lists the parties that it reaches: some hundreds. The list comes from outside.
MAX_PARTIES = 2000


class EmspOcpiConnectionParties(models.Model):
    """Whom a platform speaks for: the connection's party, and further ones (OCPI 2.2.1, 4.1.8)."""

    _inherit = "emsp.ocpi.connection"

    party_ids = fields.One2many("emsp.ocpi.connection.party", "connection_id", string="Further parties")

    @api.constrains("active", "company_id", "peer_role", "country_code", "ocpi_party_id")
    def _check_parties_once(self):
        """Two connections that speak for one party would each be given what is the other's."""
        for connection in self.filtered("active"):
            for pair, rival in connection._rivals(connection._parties()).items():
                raise ValidationError(
                    self.env._(
                        "%(party)s is already a party of the connection “%(rival)s”. Take it out there.",
                        party="*".join(pair),
                        rival=rival.name,
                    )
                )

    def _parties(self):
        """:return: list of (country code, party id) in upper case; the connection's own comes first."""
        self.ensure_one()
        role = self._parties_role()
        further = self.party_ids.filtered(lambda each: each.is_accepted and each.role == role)
        own = (self.country_code, self.ocpi_party_id)
        return [own, *((each.country_code, each.ocpi_party_id) for each in further)]

    def _parties_role(self):
        """Our own charge point system speaks for parties as a CPO does."""
        return "EMSP" if self.peer_role == "EMSP" else "CPO"

    def _by_party(self):
        """:return: dict (country code, party id) -> connection."""
        return {pair: connection for connection in self for pair in connection._parties()}

    def _contracts(self):
        """The contracts, of either role, that name one of the platform's parties; drafts left out."""
        pairs = self._parties()
        contracts = self.env["emsp.contract"]
        by_party = contracts._by_party(self.company_id, pairs)
        return contracts.union(*(by_party[pair] for pair in pairs))

    def _token_domain(self):
        """Domain of the CDRs or sessions whose token is of one of the platform's parties."""
        by_country = defaultdict(list)
        for country_code, party_id in self._parties():
            by_country[country_code].append(party_id)
        return Domain.OR(
            Domain("token_country_code", "=", country_code) & Domain("token_party_id", "in", ids)
            for country_code, ids in by_country.items()
        )

    def _check_owner(self, cdr):
        """A platform speaks for its own parties only, unless it is a hub (OCPI 2.2.1, 4.1.8).

        :param cdr: core Cdr, or another object with an owner.
        :raise PayloadError: it belongs to another party.
        """
        self.ensure_one()
        pair = (cdr.country_code.upper(), cdr.party_id.upper())
        # The usual one first: it costs no query.
        if self.is_hub or pair == (self.country_code, self.ocpi_party_id) or pair in self._parties():
            return
        known = self._parties()
        in_country = [party_id for country_code, party_id in known if country_code == pair[0]]
        if in_country:
            raise PayloadError("owner", path="party_id", expected=_either(in_country), got=cdr.party_id)
        countries = dict.fromkeys(country_code for country_code, __ in known)
        raise PayloadError("owner", path="country_code", expected=_either(countries), got=cdr.country_code)

    def _check_routing(self, sender, receiver):
        """Messages come from a party of the platform and are meant for one of ours (OCPI 2.2.1, 4.2.1).

        A hub brings those of other parties, and some name themselves where all are meant. What our own
        charge point system sends may be meant for the partner that it goes on to.

        :param sender, receiver: "FR*ABC", or None where the headers tell nothing.
        :raise PayloadError: another party is named.
        """
        self.ensure_one()
        own = self._own_party()
        hosted = {"*".join(own)} if own else set()
        if self.is_hub:
            hosted.add(self._party())
        if receiver and own and self.peer_role != "OWN" and receiver not in hosted:
            expected = _either(sorted(hosted))
            raise PayloadError("receiver", path="OCPI-to-party-id", expected=expected, got=receiver)
        if not sender or self.is_hub or sender == self._party():
            return
        # Accepted or not: a header opens nothing.
        known = [self._party(), *self.party_ids.mapped("display_name")]
        if sender not in known:
            raise PayloadError("sender", path="OCPI-from-party-id", expected=_either(known), got=sender)

    def _rivals(self, pairs):
        """The other active connections to the same side that speak for parties.

        :param pairs: (country code, party id) in upper case.
        :return: dict of those pairs that have one -> connection.
        """
        self.ensure_one()
        of_pairs = Domain("country_code", "in", [country_code for country_code, __ in pairs])
        of_pairs &= Domain("ocpi_party_id", "in", [party_id for __, party_id in pairs])
        others = Domain([("company_id", "=", self.company_id.id), ("active", "=", True)])
        others &= Domain([("peer_role", "=", self.peer_role), ("id", "!=", self.id)])
        rows = self.env["emsp.ocpi.connection.party"].search(
            of_pairs
            & Domain("company_id", "=", self.company_id.id)
            & Domain("role", "=", self._parties_role())
            & Domain("is_accepted", "=", True)
            & Domain("connection_id", "any", others)
        )
        found = {(row.country_code, row.ocpi_party_id): row.connection_id for row in rows}
        found |= {(each.country_code, each.ocpi_party_id): each for each in self.search(of_pairs & others)}
        return {pair: found[pair] for pair in pairs if pair in found}

    # -- handshakes

    def _prepare_peer_vals(self, credentials, version, details):
        vals = super()._prepare_peer_vals(credentials, version, details)
        return {**vals, "party_ids": self._prepare_party_commands(credentials.roles)}

    def _prepare_party_commands(self, roles):
        """What makes the further parties those of the partner's credentials; who was typed in stays.

        :param roles: core CredentialsRoles.
        """
        own_role = self._parties_role()
        told = {}
        for role in roles[:MAX_PARTIES]:
            # OCPI 2.1.1 tells one party and no role.
            key = ((role.role or own_role).upper(), role.country_code.upper(), role.party_id.upper())
            if key[0] in ("CPO", "EMSP") and party.PATTERN.fullmatch("*".join(key[1:])):
                told[key] = role.business_details and role.business_details.name
        told.pop((own_role, self.country_code, self.ocpi_party_id), None)
        known = {(row.role, row.country_code, row.ocpi_party_id): row for row in self.party_ids}
        gone = [row for key, row in known.items() if row.is_declared and key not in told]
        new = [key for key in told if key not in known]
        trusted = self._trusted([(country_code, party_id) for __, country_code, party_id in new])
        return [
            *(Command.delete(row.id) for row in gone),
            *(
                Command.create(
                    {
                        "role": role,
                        "country_code": country_code,
                        "ocpi_party_id": party_id,
                        "name": told[role, country_code, party_id],
                        "is_declared": True,
                        "is_accepted": role == own_role and (country_code, party_id) in trusted,
                    }
                )
                for role, country_code, party_id in new
            ),
        ]

    def _trusted(self, pairs):
        """Parties that need no person's word: of a contract with who runs the platform; all that a hub or
        our own charge point system tells.

        :return: set of those of the pairs; none that another connection speaks for.
        """
        if not pairs:
            return set()
        if self.is_hub or self.peer_role == "OWN":
            found = set(pairs)
        else:
            role = "emsp" if self.our_role == "CPO" else "cpo"
            runner = self.partner_id.commercial_partner_id
            by_party = self.env["emsp.contract"]._by_party(self.company_id, pairs)
            found = {
                pair
                for pair in pairs
                for contract in by_party[pair]
                if contract.partner_role == role and contract.partner_id.commercial_partner_id == runner
            }
        return found - self._rivals(pairs).keys()

    def _note_handshake(self):
        done = super()._note_handshake()
        role = self._parties_role()
        waiting = self.party_ids.filtered(lambda each: each.role == role and not each.is_accepted)
        if waiting:
            names = ", ".join(waiting[:50].mapped("display_name"))
            self.message_post(
                body=self.env._(
                    "The partner also speaks for %(parties)s. Nothing of theirs is taken or given out until "
                    "they are accepted in the list of further parties.",
                    parties=names,
                )
            )
        return done


def _either(texts):
    return " or ".join(texts)
