import asyncio
import random
import sys
import time

import aiohttp

IDLE = 4.0  # seconds: reuse no connection that was idle for longer; below the server's idle timeout
CONNECT, ATTEMPTS, BASE, CAP = 3.0, 4, 0.1, 2.0
IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
BUSY = {429, 502, 503, 504}


async def call(session, method, url, deadline, **options):
    end = time.monotonic() + deadline
    for attempt in range(1, ATTEMPTS + 1):
        wait = random.uniform(0, min(CAP, BASE * 2**attempt))  # backoff with full jitter
        left = max(end - time.monotonic(), 0.001)
        try:
            # total bounds the whole answer, its body too.
            timeout = aiohttp.ClientTimeout(total=left, sock_connect=CONNECT)
            async with session.request(method, url, timeout=timeout, **options) as response:
                result = response.status, await response.read()
            if response.status not in BUSY or method not in IDEMPOTENT:
                return result
            after = response.headers.get("Retry-After", "")
            wait = max(wait, float(after) if after.isdigit() else 0)
            failure = None
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            if method not in IDEMPOTENT and not isinstance(error, aiohttp.ClientConnectorError):
                raise  # the server may have processed it
            failure = error
        if attempt == ATTEMPTS or time.monotonic() + wait >= end:
            break
        await asyncio.sleep(wait)
    if failure is not None:
        raise failure
    return result


async def main():
    connector = aiohttp.TCPConnector(limit=10, keepalive_timeout=IDLE)
    async with aiohttp.ClientSession(connector=connector) as session:  # one for the whole program
        while line := await asyncio.to_thread(sys.stdin.readline):  # METHOD URL SECONDS
            method, url, seconds = line.split()
            try:
                status, _ = await call(session, method, url, float(seconds))
                print(status, flush=True)
            except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                print("failed", repr(error), flush=True)


asyncio.run(main())
