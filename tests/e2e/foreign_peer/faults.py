"""Where the package has OCPI wrong; what would keep it from talking to others is mended, field by field.

Not mended, because our side has to bear them:

- every optional field is sent as null;
- identifiers come back in small letters (legal: they compare without case);
- CDRs of 2.1.1 leave it with `end_date_time`;
- `Link` is there and empty on the last page;
- single objects are answered as lists of one;
- the `Location` of a CDR holds names of Python enumerations, and https whatever the platform speaks;
- a token in the wrong form is answered with HTTP 403 and no envelope.
"""

from py_ocpi.core import push
from py_ocpi.core.schemas import OCPIResponse
from py_ocpi.modules.cdrs.v_2_1_1.schemas import Cdr as Cdr211
from py_ocpi.modules.locations.v_2_1_1.schemas import Connector as Connector211
from py_ocpi.modules.locations.v_2_1_1.schemas import Location as Location211


def mend():
    # 2.1.1 and 2.2.1, Response format: the cardinality of `data` is "* or ?"; the package requires it.
    make_optional(OCPIResponse, "data")
    # 2.1.1, 10.3.1: `stop_date_time`; the package has the name of 2.2.
    rename(Cdr211, "end_date_time", "stop_date_time")
    # 2.1.1, 8.3.3: `tariff_id` is optional.
    make_optional(Connector211, "tariff_id")
    # 2.1.1, 8.3.1: `time_zone` is optional.
    make_optional(Location211, "time_zone")
    # 2.2.1, 8.2.2: {locations_endpoint_url}/{country_code}/…; the package leaves out the first slash.
    joined = push.client_url
    push.client_url = lambda module, name, url: joined(
        module, name, url if module == push.ModuleID.cdrs else f"{url.rstrip('/')}/"
    )


def make_optional(model, name):
    field = model.__fields__[name]
    field.required, field.allow_none, field.default = False, True, None


def rename(model, name, alias):
    model.__fields__[name].alias = alias
    # Under the former name it is still taken: the package itself goes on using it.
    model.__config__.allow_population_by_field_name = True
