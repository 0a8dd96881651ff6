"""A packet gateway for tests: python-diameter connects, exchanges capabilities and charges sessions.

Started with the address of the server, `HOST:PORT`. Orders come from standard input and events go to standard
output, one JSON object a line. Ends when standard input does.

Orders: {"do": "ccr", "kind": 1|2|3, "number": N, "used": octets or null, "asks": bool}   charge rating group 1
        {"do": "hear"}                                                                  wait for a RAR
Events: ready {}; cca {"code", "group_code", "granted", "redirect", "validity"}; rar {"session"}; failed {"why"}
"""

import json
import queue
import sys

from diameter.message.avp.grouped import (
    MultipleServicesCreditControl,
    RequestedServiceUnit,
    SubscriptionId,
    UsedServiceUnit,
)
from diameter.message.commands import CreditControlRequest
from diameter.message.constants import (
    APP_DIAMETER_CREDIT_CONTROL_APPLICATION,
    E_RESULT_CODE_DIAMETER_LIMITED_SUCCESS,
    VENDOR_TGPP,
)
from diameter.node import Node
from diameter.node.application import SimpleThreadingApplication

SESSION = "pgw.example.com;python;1"
heard = queue.Queue()


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def on_request(application, message):
    heard.put(message.session_id)
    answer = application.generate_answer(message, result_code=E_RESULT_CODE_DIAMETER_LIMITED_SUCCESS)
    answer.session_id = message.session_id
    return answer


def request(order):
    message = CreditControlRequest()
    message.session_id = SESSION
    message.origin_host = b"pgw.example.com"
    message.origin_realm = b"example.com"
    message.destination_realm = b"example.com"
    message.auth_application_id = APP_DIAMETER_CREDIT_CONTROL_APPLICATION
    message.service_context_id = "32251@3gpp.org"
    message.cc_request_type = order["kind"]
    message.cc_request_number = order["number"]
    message.subscription_id = [SubscriptionId(subscription_id_type=0, subscription_id_data="8613800000001")]
    service = MultipleServicesCreditControl(rating_group=1)
    if order["asks"]:
        service.requested_service_unit = RequestedServiceUnit()
    if order["used"] is not None:
        service.used_service_unit = [UsedServiceUnit(cc_total_octets=order["used"])]
    message.multiple_services_credit_control = [service]
    return message


def told(answer):
    service = (answer.multiple_services_credit_control or [None])[0]
    granted = getattr(service, "granted_service_unit", None)
    final = getattr(service, "final_unit_indication", None)
    redirect = getattr(final, "redirect_server", None)
    say(
        "cca",
        code=answer.result_code,
        group_code=getattr(service, "result_code", None),
        granted=getattr(granted, "cc_total_octets", None),
        redirect=getattr(redirect, "redirect_server_address", None),
        validity=getattr(service, "validity_time", None),
    )


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    node = Node("pgw.example.com", "example.com", vendor_ids=[VENDOR_TGPP])
    peer = node.add_peer(
        f"aaa://ocs.example.com:{port};transport=tcp", "example.com", ip_addresses=[host], is_persistent=True
    )
    application = SimpleThreadingApplication(
        APP_DIAMETER_CREDIT_CONTROL_APPLICATION, is_auth_application=True, request_handler=on_request
    )
    node.add_application(application, [peer])
    node.start()
    application.wait_for_ready()
    say("ready")
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if order["do"] == "ccr":
                told(application.send_request(request(order), timeout=30))
            else:
                say("rar", session=heard.get(timeout=30))
        except Exception as error:  # the test says what it expected
            say("failed", why=repr(error))
    node.stop(wait_timeout=2)


main()
