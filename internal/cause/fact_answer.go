package cause

import (
	"slices"
	"strconv"
	"time"

	"errno_exporter/prober/result"
)

// Facts of what answers state. A statement is evidence of what it states, and of nothing else.

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// requestsFault are the statuses that say that the request is wrong in itself (RFC 9110 section 15.5, RFC 6585).
var requestsFault = []int{400, 405, 406, 411, 412, 413, 414, 415, 416, 417, 422, 426, 428, 431}

// announcesLater is from what Retry-After on a 503 announces an outage rather than a moment.
const announcesLater = 5 * time.Minute

func (s *scene) answer(k *known) {
	o := s.o
	said := o.Said
	complete := s.in(result.Validate)
	k.note(saidLimit, complete && slices.Contains([]int{403, 429, 503}, o.Status), "%s", said.Limit)
	k.note(saidMaintenance, complete, "%s", said.Maintenance)
	k.note(saidRetryLater, complete && o.Status == 503 && said.RetryAfter >= announcesLater, "503 with Retry-After %s",
		said.RetryAfter)
	k.note(saidGateway, said.Gateway != "", "%s", said.Gateway)
	k.note(saidItself, said.Itself != "", "%s", said.Itself)
	k.note(saidRefused, said.Refused != "" && (complete || k.has(wordProxyFails)), "%s", said.Refused)
	k.note(saidNoName, said.NoName && (complete || k.has(wordProxyFails)),
		"the proxy did not resolve the target's name")
	k.note(saidProxy, said.Proxy != "", "%s", said.Proxy)
	k.note(saidDenied, complete && (said.Denied || said.Proxy != "" && o.Status == 403), "the proxy answers %d",
		o.Status)
	between := complete && (o.Status == 511 || o.Status == 407 && !o.Relayed)
	k.note(saidBetween, between, "%d is the answer of a proxy or a captive portal on the path (RFC 9110 section 15.5.8, "+
		"RFC 6585 section 6), and the module has no proxy", o.Status)
	k.note(saidDirect, complete && !between && (!o.Relayed || said.Origin), "the server answers %d", o.Status)
	k.note(saidInternal, said.Internal, "the server's own error code is INTERNAL_ERROR")
	k.note(saidStreamOnly, said.StreamOnly, "ENHANCE_YOUR_CALM reset the only stream of a new connection: some send it "+
		"for each request that a rule rejects")
	k.note(bodyShort, said.Short && o.Announced > 0, "the body ended before the announced length of %s bytes",
		decimal(o.Announced))
	k.note(saidHTTP1, said.WantsHTTP1, "the server's own error code is HTTP_1_1_REQUIRED")
	k.note(saidTLS, said.WantsTLS, "the server answers a request without encryption with a TLS alert")
	k.note(saidRenegotiate, said.Renegotiate, "the server negotiates TLS again for this path, as for a client "+
		"certificate; HTTP clients of today do not")
	if k.has(wordStatus) {
		k.note(status4xx, slices.Contains(requestsFault, o.Status), "status %d means that the request is at fault",
			o.Status)
		k.note(status4xxAnswer, o.Status >= 400 && o.Status < 500 && !between &&
			!slices.Contains(requestsFault, o.Status), "%d is an answer to the request", o.Status)
		k.note(status4xxAny, o.Status >= 400 && o.Status < 500 && !between, "the status %d refuses the request", o.Status)
		k.note(status5xx, o.Status >= 500 && o.Status != 503 && !between, "%d is an error of the server's own", o.Status)
		k.note(statusOther, o.Status < 400, "the status is %d", o.Status)
		k.note(status503, o.Status == 503, "503 means that the server cannot serve now: load, maintenance or no "+
			"backend")
	}
	k.note(shownChain, o.CertShown && k.has(wordCertificate),
		"the server sent the certificate; the chain is in the record")
	k.note(alertSent, o.Alert != 0 && k.has(wordHandshake), "the server sent the TLS alert %d", o.Alert)
	k.note(alertEnds, o.Alert != 0 && (k.has(wordHandshake) || k.has(wordTLSAlert)), "what refuses it speaks TLS: it "+
		"sent the alert %d", o.Alert)
	// RFC 8446 section 6.2 has 112 for an unknown name; Caddy and older Go servers send 80.
	k.note(alertBare, o.Alert == 80 && !o.CertShown && k.has(wordTLSAlert),
		"the server sent the TLS alert 80 before any certificate, as some do for a name that they do not know")
}
