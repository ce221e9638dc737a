import asyncio
import random
import sys
import time

import httpx

IDLE = 4.0  # seconds: reuse no connection that was idle for longer; below the server's idle timeout
CONNECT, ATTEMPTS, BASE, CAP = 3.0, 4, 0.1, 2.0
IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
BUSY = {429, 502, 503, 504}


async def call(client, method, url, deadline, **options):
    end = time.monotonic() + deadline
    for attempt in range(1, ATTEMPTS + 1):
        wait = random.uniform(0, min(CAP, BASE * 2**attempt))  # backoff with full jitter
        left = max(end - time.monotonic(), 0.001)
        try:
            # httpx bounds each read; wait_for bounds the whole answer.
            timeout = httpx.Timeout(left, connect=min(CONNECT, left))
            request = client.request(method, url, timeout=timeout, **options)
            response = await asyncio.wait_for(request, left)
            if response.status_code not in BUSY or method not in IDEMPOTENT:
                return response
            after = response.headers.get("Retry-After", "")
            wait = max(wait, float(after) if after.isdigit() else 0)
            failure = response
        except (httpx.TransportError, asyncio.TimeoutError) as error:
            unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            if method not in IDEMPOTENT and not unsent:
                raise  # the server may have processed it
            failure = error
        if attempt == ATTEMPTS or time.monotonic() + wait >= end:
            break
        await asyncio.sleep(wait)
    if isinstance(failure, Exception):
        raise failure
    return failure


async def main():
    limits = httpx.Limits(max_connections=10, keepalive_expiry=IDLE)
    async with httpx.AsyncClient(limits=limits) as client:  # one for the whole program
        while line := await asyncio.to_thread(sys.stdin.readline):  # METHOD URL SECONDS
            method, url, seconds = line.split()
            try:
                response = await call(client, method, url, float(seconds))
                print(response.status_code, flush=True)
            except (httpx.TransportError, asyncio.TimeoutError) as error:
                print("failed", repr(error), flush=True)


asyncio.run(main())
