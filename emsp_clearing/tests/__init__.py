from . import (
    test_annex,
    test_bank_matching,
    test_cdr_import,
    test_documents,
    test_exception,
    test_ocpi_auth,
    test_ocpi_cdrs,
    test_ocpi_connection,
    test_refund_transfer,
    test_sending,
)
