import random
import socket
import sys
import time

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

IDLE = 4.0  # seconds: reuse no connection that was idle for longer; below the server's idle timeout
CONNECT, ATTEMPTS, BASE, CAP = 3.0, 4, 0.1, 2.0
IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
BUSY = {429, 502, 503, 504}
KEEPALIVE = HTTPConnection.default_socket_options + [  # for a NAT that removes idle flows; Linux
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]


class IdleLimit:
    """urllib3 has no idle timeout of its own: close what was idle for too long, and connect again."""

    def _get_conn(self, timeout=None):
        conn = super()._get_conn(timeout)
        if time.monotonic() - getattr(conn, "idle_since", time.monotonic()) <= IDLE:
            return conn
        conn.close()
        return self._new_conn()

    def _put_conn(self, conn):
        if conn is not None:
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)


class HTTPPool(IdleLimit, urllib3.HTTPConnectionPool):
    pass


class HTTPSPool(IdleLimit, urllib3.HTTPSConnectionPool):
    pass


class Adapter(HTTPAdapter):
    def init_poolmanager(self, *args, **options):
        super().init_poolmanager(*args, socket_options=KEEPALIVE, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}


session = requests.Session()
session.mount("http://", Adapter(pool_maxsize=10))
session.mount("https://", Adapter(pool_maxsize=10))


def not_sent(error):
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def call(method, url, deadline, **options):
    end = time.monotonic() + deadline
    for attempt in range(1, ATTEMPTS + 1):
        wait = random.uniform(0, min(CAP, BASE * 2**attempt))  # backoff with full jitter
        left = max(end - time.monotonic(), 0.001)
        try:
            timeout = urllib3.Timeout(connect=min(CONNECT, left), total=left)
            response = session.request(method, url, timeout=timeout, **options)
            if response.status_code not in BUSY or method not in IDEMPOTENT:
                return response
            after = response.headers.get("Retry-After", "")
            wait = max(wait, float(after) if after.isdigit() else 0)
            failure = response
        except requests.RequestException as error:
            if method not in IDEMPOTENT and not not_sent(error):
                raise  # the server may have processed it
            failure = error
        if attempt == ATTEMPTS or time.monotonic() + wait >= end:
            break
        time.sleep(wait)
    if isinstance(failure, Exception):
        raise failure
    return failure


for line in sys.stdin:  # METHOD URL SECONDS
    method, url, seconds = line.split()
    try:
        print(call(method, url, float(seconds)).status_code, flush=True)
    except requests.RequestException as error:
        print("failed", repr(error), flush=True)
