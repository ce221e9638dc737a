"""An application with the pool of requests: python3 requests_app.py NAME=URL=PLAN…"""

import sys
import threading
import time

import requests


def run(name, url, plan):
    session = requests.Session()
    leaked = []
    for step in plan.split(","):
        kind, count = step[0], int(step[1:] or 1)
        if kind == "w":
            time.sleep(count / 1000)
            continue
        for _ in range(count):
            try:
                answer = session.post(url, data=b"0123456789", stream=kind != "P", timeout=60)
                outcome = str(answer.status_code)
                if kind == "L":
                    leaked.append(answer)
                if kind == "U":
                    time.sleep(0.3)  # until more has arrived than is read
                    answer.close()
            except requests.RequestException as e:
                outcome = repr(e)
            sys.stdout.write(f"{name} {step} {outcome}\n")  # at once, unlike print


threads = [threading.Thread(target=run, args=job.split("=")) for job in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
