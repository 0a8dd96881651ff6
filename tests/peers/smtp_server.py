"""A mail server for the connector tests: aiosmtpd with scripted answers.

Events go to standard output and orders come from standard input, one JSON object a line. Ends when
standard input does.

Orders: {"at": "rcpt" | "data", "do": "reply", "reply": "451 ..."}  answer the next one so
        {"at": "rcpt" | "data", "do": "drop"}                       close the connection instead
        {"at": "rcpt" | "data", "do": "hang"}                       never answer
Events: listening, connected, told, message
"""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Peer:
    """The handler: follows the script, reports what arrives."""

    def __init__(self):
        self.script = {"rcpt": [], "data": []}

    async def follow(self, step, server):
        if not self.script[step]:
            return "250 2.0.0 OK queued as 4XyZ"
        order = self.script[step].pop(0)
        if order["do"] == "drop":
            server.transport.abort()
        if order["do"] != "reply":
            await asyncio.Event().wait()
        return order["reply"]

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = await self.follow("rcpt", server)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        reply = await self.follow("data", server)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        bodies = {
            part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()
        }
        tell(
            "message",
            reply=reply,
            mail_from=envelope.mail_from,
            rcpt_tos=envelope.rcpt_tos,
            encrypted=session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            login=(session.auth_data.login.decode() if session.authenticated else None),
            kind=mail.get_content_type(),
            headers=[[name, str(value)] for name, value in mail.items()],
            bodies=bodies,
        )
        return reply


class Server(SMTP):
    """aiosmtpd that reports connections."""

    def connection_made(self, transport):
        # STARTTLS calls this a second time, with the TLS transport.
        if self.transport is None:
            tell("connected")
        super().connection_made(transport)


def authenticator(user, password):
    def check(server, session, envelope, mechanism, auth_data):
        good = (auth_data.login, auth_data.password) == (user.encode(), password.encode())
        return AuthResult(success=good, handled=False, auth_data=auth_data)

    return check


def options(arguments, tls):
    made = {"hostname": "peer.example", "enable_SMTPUTF8": False}
    if arguments.tls == "starttls":
        made.update(tls_context=tls, require_starttls=True)
    if arguments.user:
        made.update(
            authenticator=authenticator(arguments.user, arguments.password),
            auth_required=True,
            auth_require_tls=arguments.tls == "starttls",
        )
    return made


async def main():
    # Tests break connections on purpose; the reports belong to the tests.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["implicit", "starttls", "none"], default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    arguments = parser.parse_args()
    tls = None
    if arguments.tls != "none":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(arguments.cert, arguments.key)
    peer = Peer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(peer, **options(arguments, tls)),
        "127.0.0.1",
        arguments.port,
        ssl=tls if arguments.tls == "implicit" else None,
    )
    tell("listening", port=server.sockets[0].getsockname()[1])
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        peer.script[order["at"]].append(order)
        tell("told")
    server.close()


asyncio.run(main())
