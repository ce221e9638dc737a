"""An application with the pool of urllib3: python3 urllib3_app.py NAME=URL=PLAN…"""

import sys
import threading
import time

import urllib3


def run(name, url, plan):
    pool = urllib3.PoolManager()
    leaked = []
    for step in plan.split(","):
        kind, count = step[0], int(step[1:] or 1)
        if kind == "w":
            time.sleep(count / 1000)
            continue
        for _ in range(count):
            try:
                answer = pool.request("POST", url, body=b"0123456789", preload_content=kind == "P", timeout=60)
                outcome = str(answer.status)
                if kind == "L":
                    leaked.append(answer)
                if kind == "U":
                    time.sleep(0.3)  # until more has arrived than is read
                    answer.close()
            except urllib3.exceptions.HTTPError as e:
                outcome = repr(e)
            sys.stdout.write(f"{name} {step} {outcome}\n")  # at once, unlike print


threads = [threading.Thread(target=run, args=job.split("=")) for job in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
