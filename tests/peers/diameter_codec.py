"""A Diameter codec for tests: python-diameter reads what we write and writes what we read.

Orders come from standard input and events go to standard output, one JSON object a line. Ends when standard
input does.

Orders: {"do": "make", "what": "ccr_update"}   write a message, made of the values below
        {"do": "read", "hex": "..."}           read a message, and write it again
Events: made {"hex"}; read {"type", "again", "avps": [[path, value as text], ...]}; failed {"why"}
"""

import json
import sys

from diameter.message import Message
from diameter.message.commands import (
    AbortSessionAnswer,
    CapabilitiesExchangeRequest,
    CreditControlRequest,
    DeviceWatchdogRequest,
    DisconnectPeerRequest,
    ReAuthAnswer,
)
from diameter.message.avp.grouped import (
    MultipleServicesCreditControl,
    PsInformation,
    RequestedServiceUnit,
    ServiceInformation,
    SubscriptionId,
    UsedServiceUnit,
)


def named(message):
    message.header.hop_by_hop_identifier = 0x01020304
    message.header.end_to_end_identifier = 0x05060708
    message.origin_host = b"pgw.example.com"
    message.origin_realm = b"example.com"
    return message


def credit(kind, number):
    message = named(CreditControlRequest())
    message.session_id = "pgw.example.com;1;2"
    message.destination_realm = b"example.com"
    message.auth_application_id = 4
    message.service_context_id = "32251@3gpp.org"
    message.cc_request_type = kind
    message.cc_request_number = number
    message.subscription_id = [SubscriptionId(subscription_id_type=0, subscription_id_data="8613800138000")]
    return message


def ccr_initial():
    message = credit(1, 0)
    message.multiple_services_indicator = 1
    message.multiple_services_credit_control = [
        MultipleServicesCreditControl(rating_group=10, requested_service_unit=RequestedServiceUnit())
    ]
    message.service_information = ServiceInformation(
        ps_information=PsInformation(
            called_station_id="internet",
            tgpp_sgsn_mcc_mnc="46001",
            tgpp_rat_type=b"\x06",
            tgpp_user_location_info=b"\x82\x64\xf0\x10\x00\x01\x64\xf0\x10\x00\x00\x00\x01",
        )
    )
    return message


def ccr_update():
    message = credit(2, 1)
    message.multiple_services_credit_control = [
        MultipleServicesCreditControl(
            rating_group=10,
            requested_service_unit=RequestedServiceUnit(cc_total_octets=1_000_000),
            used_service_unit=[UsedServiceUnit(cc_time=60, cc_total_octets=777, cc_input_octets=700, cc_output_octets=77)],
        ),
        MultipleServicesCreditControl(used_service_unit=[UsedServiceUnit(cc_total_octets=5)]),
    ]
    return message


def ccr_termination():
    message = credit(3, 2)
    message.termination_cause = 1
    return message


def ccr_event():
    message = credit(4, 0)
    message.service_context_id = "32274@3gpp.org"
    message.requested_action = 0
    message.requested_service_unit = RequestedServiceUnit(cc_service_specific_units=1)
    return message


def cer():
    message = named(CapabilitiesExchangeRequest())
    message.host_ip_address = ["127.0.0.1"]
    message.vendor_id = 10415
    message.product_name = "gateway"
    message.origin_state_id = 3
    message.auth_application_id = [4]
    return message


def dwr():
    return named(DeviceWatchdogRequest())


def dpr():
    message = named(DisconnectPeerRequest())
    message.disconnect_cause = 0
    return message


def of_session(message):
    named(message)
    message.session_id = "pgw.example.com;1;2"
    message.result_code = 2002
    return message


def raa():
    return of_session(ReAuthAnswer())


def asa():
    return of_session(AbortSessionAnswer())


MAKERS = {
    maker.__name__: maker
    for maker in (ccr_initial, ccr_update, ccr_termination, ccr_event, cer, dwr, dpr, raa, asa)
}


def flatten(avps, path=""):
    for avp in avps:
        here = f"{path}/{avp.name}"
        value = avp.value
        if isinstance(value, list):
            yield from flatten(value, here)
        else:
            yield [here, value.decode("latin-1") if isinstance(value, bytes) else str(value)]


def follow(order):
    if order["do"] == "make":
        return {"event": "made", "hex": MAKERS[order["what"]]().as_bytes().hex()}
    octets = bytes.fromhex(order["hex"])
    message = Message.from_bytes(octets)
    # The typed message writes only what it has attributes for; the plain one writes all it read.
    plain = Message.from_bytes(octets, plain_msg=True)
    for avp in plain.avps:
        if isinstance(avp.value, list):
            avp.value = avp.value  # a group is encoded anew
    return {
        "event": "read",
        "type": type(message).__name__,
        "again": plain.as_bytes().hex(),
        "avps": list(flatten(plain.avps)),
    }


for line in sys.stdin:
    try:
        event = follow(json.loads(line))
    except Exception as why:  # the test says what it expected
        event = {"event": "failed", "why": repr(why)}
    print(json.dumps(event), flush=True)
