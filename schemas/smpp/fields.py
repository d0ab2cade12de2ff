"""The mandatory fields of every PDU of SMPP 3.4, in wire order (sections 4.1 to 4.12), and the status a bad one earns."""

from typing import Final, Literal

from schemas.smpp import commands as c
from schemas.smpp import status as s

Kind = Literal["string", "octet", "message", "destinations", "failures"]
Layout = tuple[tuple[str, Kind], ...]

_SOURCE: Final[Layout] = (("source_addr_ton", "octet"), ("source_addr_npi", "octet"), ("source_addr", "string"))
_DESTINATION: Final[Layout] = (("dest_addr_ton", "octet"), ("dest_addr_npi", "octet"), ("destination_addr", "string"))
_SUBMISSION: Final[Layout] = (
    ("esm_class", "octet"),
    ("protocol_id", "octet"),
    ("priority_flag", "octet"),
    ("schedule_delivery_time", "string"),
    ("validity_period", "string"),
    ("registered_delivery", "octet"),
    ("replace_if_present_flag", "octet"),
    ("data_coding", "octet"),
    ("sm_default_msg_id", "octet"),
    ("short_message", "message"),
)
_SHORT_MESSAGE: Final[Layout] = (("service_type", "string"), *_SOURCE, *_DESTINATION, *_SUBMISSION)
_BIND: Final[Layout] = (
    ("system_id", "string"),
    ("password", "string"),
    ("system_type", "string"),
    ("interface_version", "octet"),
    ("addr_ton", "octet"),
    ("addr_npi", "octet"),
    ("address_range", "string"),
)
_SYSTEM_ID: Final[Layout] = (("system_id", "string"),)
_MESSAGE_ID: Final[Layout] = (("message_id", "string"),)

LAYOUTS: Final[dict[int, Layout]] = {
    c.BIND_RECEIVER: _BIND,
    c.BIND_TRANSMITTER: _BIND,
    c.BIND_TRANSCEIVER: _BIND,
    c.BIND_RECEIVER_RESP: _SYSTEM_ID,
    c.BIND_TRANSMITTER_RESP: _SYSTEM_ID,
    c.BIND_TRANSCEIVER_RESP: _SYSTEM_ID,
    c.OUTBIND: (("system_id", "string"), ("password", "string")),
    c.SUBMIT_SM: _SHORT_MESSAGE,
    c.DELIVER_SM: _SHORT_MESSAGE,
    c.SUBMIT_SM_RESP: _MESSAGE_ID,
    c.DELIVER_SM_RESP: _MESSAGE_ID,
    c.SUBMIT_MULTI: (("service_type", "string"), *_SOURCE, ("dest_address", "destinations"), *_SUBMISSION),
    c.SUBMIT_MULTI_RESP: (*_MESSAGE_ID, ("unsuccess_sme", "failures")),
    c.DATA_SM: (
        ("service_type", "string"),
        *_SOURCE,
        *_DESTINATION,
        ("esm_class", "octet"),
        ("registered_delivery", "octet"),
        ("data_coding", "octet"),
    ),
    c.DATA_SM_RESP: _MESSAGE_ID,
    c.QUERY_SM: (*_MESSAGE_ID, *_SOURCE),
    c.QUERY_SM_RESP: (
        *_MESSAGE_ID,
        ("final_date", "string"),
        ("message_state", "octet"),
        ("error_code", "octet"),
    ),
    c.CANCEL_SM: (("service_type", "string"), *_MESSAGE_ID, *_SOURCE, *_DESTINATION),
    c.REPLACE_SM: (
        *_MESSAGE_ID,
        *_SOURCE,
        ("schedule_delivery_time", "string"),
        ("validity_period", "string"),
        ("registered_delivery", "octet"),
        ("sm_default_msg_id", "octet"),
        ("short_message", "message"),
    ),
    c.ALERT_NOTIFICATION: (
        *_SOURCE,
        ("esme_addr_ton", "octet"),
        ("esme_addr_npi", "octet"),
        ("esme_addr", "string"),
    ),
    # The rest is a header alone; whatever follows it is ignored.
    c.GENERIC_NACK: (),
    c.UNBIND: (),
    c.UNBIND_RESP: (),
    c.CANCEL_SM_RESP: (),
    c.REPLACE_SM_RESP: (),
    c.ENQUIRE_LINK: (),
    c.ENQUIRE_LINK_RESP: (),
}

# The status for a field that cannot be read; for any other field the body is cut short: ESME_RINVCMDLEN.
STATUS_OF_FIELD: Final[dict[str, int]] = {
    "service_type": s.ESME_RINVSERTYP,
    "source_addr": s.ESME_RINVSRCADR,
    "destination_addr": s.ESME_RINVDSTADR,
    "dest_address": s.ESME_RINVNUMDESTS,
    "schedule_delivery_time": s.ESME_RINVSCHED,
    "validity_period": s.ESME_RINVEXPIRY,
    "short_message": s.ESME_RINVMSGLEN,
    "message_id": s.ESME_RINVMSGID,
    "system_id": s.ESME_RINVSYSID,
    "password": s.ESME_RINVPASWD,
    "system_type": s.ESME_RINVSYSTYP,
    "address_range": s.ESME_RBINDFAIL,
}
