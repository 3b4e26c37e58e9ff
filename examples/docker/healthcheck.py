"""Whether the Flower of this container answers, where the variables say that it listens; exits with 1 if not."""

import http.client
import os
import socket
import ssl
import sys

path = os.environ.get("FLOWER_UNIX_SOCKET")
if path:
    connection = http.client.HTTPConnection("localhost", timeout=4)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
else:
    host, port = os.environ.get("FLOWER_ADDRESS") or "127.0.0.1", int(os.environ.get("FLOWER_PORT") or 5555)
    if os.environ.get("FLOWER_CERTFILE"):
        # The certificate is for the name that visitors use, not for this one.
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(host, port, timeout=4, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=4)
try:
    connection.request("GET", "/healthcheck")
    sys.exit(connection.getresponse().status != http.client.OK)
except OSError as error:
    sys.exit(f"Flower does not answer: {error}")
