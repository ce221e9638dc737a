"""Logs the notifications that Grafana or Alertmanager sends to its webhooks: a line for each alert.

receiver.py PORT listens on loopback, where monitoring/grafana/alerting/contact-points.yml and monitoring/alertmanager.yml send them. It takes the
place of a pager in the demonstration.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIMIT = 1 << 20  # bytes of a notification


def lines(receiver, notification):
    """The lines of a notification: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""
    for alert in notification["alerts"]:
        labels, annotations = alert["labels"], alert["annotations"]
        text = "%s: %s %s %s: %s" % (receiver, alert["status"], labels.get("severity", "-"), labels.get("alertname", "-"),
                                     annotations.get("summary", "-"))
        yield "".join(c if c.isprintable() else "?" for c in text)


class Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a client that stalls

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LIMIT:
            return self.send_error(413)
        try:
            received = list(lines(self.path.lstrip("/"), json.loads(self.rfile.read(int(length)))))
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.send_error(400, "no notification of Alertmanager")
        for line in received:
            print(line, flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


sys.stdout.reconfigure(encoding="utf-8", errors="replace")
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("listening on http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
