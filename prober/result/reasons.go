package result

var (
	dialling  = []Phase{Connect, Proxy}
	naming    = []Phase{Resolve, Proxy}
	leaving   = []Phase{Resolve, Connect, Proxy}
	shaking   = []Phase{TLS, Proxy}
	secured   = []Phase{TLS, Proxy, Request, Processing, Transfer}
	exchanged = []Phase{Request, Processing, Transfer}
	own       = []Phase{Resolve, Connect, Proxy, TLS, Request, Processing, Transfer, Validate}
	stream    = []Phase{Proxy, TLS, Request, Processing, Transfer, Idle}
	always    = []Phase{Resolve, Connect, Proxy, TLS, Request, Processing, Transfer, Validate, Idle}
)

// Reasons is the vocabulary: every reason a probe can end with. It follows W3C Network Error Logging, section 6,
// Chromium's predefined types, and RFC 9209 where they have a word.
var Reasons = []ReasonInfo{
	{DNSNameNotResolved, naming, "the name does not exist (NXDOMAIN)",
		"The resolver answers that the name does not exist. Check the spelling, the zone, and which resolver the " +
			"container uses.", "N"},
	{DNSNoData, naming, "the name has no address",
		"The name exists and has no A or AAAA record of the requested family. Check the record and " +
			"preferred_ip_protocol.", "X (OONI dns_no_answer)"},
	{DNSUnreachable, naming, "the resolver is unreachable",
		"Nothing answers at the resolver's address: its port is closed, or a router reports it unreachable. Check " +
			"resolv.conf and the resolver.", "N"},
	{DNSTimedOut, naming, "no answer from the resolver in time",
		"The resolver did not give a usable answer in time. Check the resolver's load and whether UDP port 53 gets " +
			"through.", "C (RFC 9209 dns_timeout)"},
	{DNSServfail, naming, "the resolver failed (SERVFAIL)",
		"The resolver could not get an answer from the zone's servers: broken delegation, DNSSEC, or their outage.",
		"X (C dns.server)"},
	{DNSRefused, naming, "the resolver refused to answer (REFUSED)",
		"The resolver does not serve us or this zone. Check its access rules.", "X (OONI dns_refused_error)"},
	{DNSProtocol, naming, "the resolver's answer is unusable",
		"The resolver answered with FORMERR, NOTIMP, a lame referral, a loop of aliases, something other than the " +
			"answer over TCP, or a truncated answer that TCP did not complete.", "C"},
	{DNSFailed, naming, "the name was not resolved",
		"Resolution failed in a way that has no reason of its own; the record has the resolver's error.", "N"},

	{TCPRefused, dialling, "connection refused", "A RST or ICMP port-unreachable answered our SYN: nothing listens " +
		"there, or a firewall rejects. A restarting server looks like this until it listens again.", "N"},
	{TCPTimedOut, dialling, "no answer to our SYN",
		"Nothing answered the connection attempt: a firewall drops, the host is gone, or its accept queue is full.",
		"N"},
	{TCPReset, append([]Phase{Connect}, stream...), "connection reset by the peer",
		"A RST ended an established connection: the server aborted, crashed or lost the connection's state, or a " +
			"middlebox reset it.", "N (C CONNECTION_RESET; Envoy UC; HAProxy S*)"},
	{TCPClosed, stream, "connection closed by the peer",
		"The peer closed the connection (FIN) before the exchange was complete: a crashing worker, a restart, or an " +
			"idle timeout shorter than ours.", "N (C CONNECTION_CLOSED; RFC 9209 http_response_incomplete)"},
	{TCPAborted, stream, "the path went dead", "The connection was established, and then the peer acknowledged " +
		"nothing more: an outage, a firewall that dropped the flow, or a black hole for large " +
		"packets.", "N (C CONNECTION_ABORTED)"},
	{TCPAddressUnreachable, dialling, "address unreachable",
		"A router answered with ICMP unreachable or prohibited, or the last hop found no such host. The record has " +
			"the router's address.", "N"},
	{TCPAddressInvalid, dialling, "address cannot be connected to",
		"The kernel refuses the address itself: a link-local address without its zone, or a blackhole route.", "N"},
	{TCPFailed, dialling, "connection failed", "connect() failed with an errno that has no reason of its own.", "N"},
	{TCPStalled, []Phase{Request}, "the peer stopped reading",
		"The peer is alive but keeps its receive window closed while the request is sent: the application does not " +
			"read.", "X (RFC 9209 connection_write_timeout)"},

	{TLSTimedOut, shaking, "TLS handshake not finished in time",
		"The TCP connection was established and our ClientHello was acknowledged, but the handshake did not finish: " +
			"an overloaded server, or a port without TLS.", "X"},
	{TLSVersionOrCipherMismatch, shaking, "no common TLS version or cipher suite",
		"Both sides share no TLS version or cipher suite. Compare tls_config min_version and max_version with the " +
			"server's.", "N"},
	{TLSALPNMismatch, shaking, "no common application protocol (ALPN)",
		"The server refused our list of application protocols.", "X (C ALPN_NEGOTIATION_FAILED)"},
	{TLSUnrecognizedName, shaking, "the server does not know the name (SNI)",
		"The server has no certificate for the name we asked for. Check the host name and tls_config server_name.",
		"C"},
	{TLSBadClientAuthCert, secured, "our client certificate was refused",
		"The server asked for a client certificate and rejected ours, or got none. With TLS 1.3 this shows only " +
			"after the handshake.", "N"},
	{TLSCertDateInvalid, shaking, "certificate expired or not yet valid",
		"A certificate of the chain is outside its dates. Renew it, or check this host's clock.", "N"},
	{TLSCertNameInvalid, shaking, "certificate is for another name",
		"The certificate does not cover the name we asked for: wrong virtual host, stale DNS, or an intercepting " +
			"middlebox.", "N"},
	{TLSCertAuthorityInvalid, shaking, "certificate authority not trusted",
		"The chain does not lead to a CA we trust: a missing intermediate, a private CA without ca_file, or an " +
			"intercepting middlebox.", "N"},
	{TLSCertInvalid, shaking, "certificate not acceptable",
		"The certificate may not be used for this: wrong key usage, constraints, or malformed.", "N"},
	{TLSCertRevoked, shaking, "certificate revoked",
		"A certificate of the chain is in its issuer's list of revoked certificates (check_revoked): its key may be known " +
			"to others. Replace it. The error has since when, and why.", "N"},
	{TLSCertStapledRevoked, shaking, "certificate revoked, by OCSP",
		"The server's certificate is revoked, by the OCSP response of its issuer that the server itself sends " +
			"(check_revoked): its key may be known to others, and browsers refuse it. Replace it. The error has since when, " +
			"and why.", "N"},
	{TLSCertPinned, shaking, "pinned key not in the chain",
		"None of the keys of the certificates is in pinned_keys: the server has a new key, another server answers, or a " +
			"middlebox intercepts TLS. The error has the key that was shown.", "N"},
	{TLSNotTLS, shaking, "the server answered without TLS",
		"The first bytes of the answer are not TLS: wrong port, wrong scheme, or a proxy that answers in plain text.",
		"X (curl 35)"},
	{TLSProtocolError, secured, "TLS protocol error",
		"A record was malformed or could not be decrypted, or the peer sent an alert that has no reason of its own.",
		"N"},
	{TLSFailed, secured, "TLS failed", "TLS failed in a way that has no reason of its own.", "N"},

	{ProxyAuthRequired, []Phase{Proxy, Validate}, "the proxy requires other credentials",
		"The proxy answered 407, or its SOCKS authentication refused us. Check the credentials in proxy_url.",
		"C PROXY_AUTH_REQUESTED"},
	{ProxyDenied, []Phase{Proxy}, "the proxy denies this destination",
		"The proxy's policy forbids the destination (CONNECT 403, SOCKS reply 2).", "X (RFC 9209 http_request_denied)"},
	{ProxyFailed, []Phase{Proxy}, "the proxy could not build the tunnel",
		"The proxy is reachable but could not reach the target, or answered something other than 200 or 403. The " +
			"record has its status.", "C TUNNEL_CONNECTION_FAILED"},

	{HTTPResponseTimedOut, []Phase{Proxy, Processing, Transfer}, "no response in time",
		"The peer's kernel acknowledged our request and the connection is alive, but no (more) bytes came before our " +
			"deadline: the application is slow or stuck.", "X (Envoy UT; RFC 9209 http_response_timeout)"},
	{HTTPProtocolError, []Phase{Proxy, Transfer}, "the response is not HTTP",
		"The status line or headers cannot be parsed.", "N"},
	{HTTPHeadersTooLarge, []Phase{Proxy, Processing, Transfer}, "response head too large",
		"The response head exceeds 1 MiB (256 KiB over HTTP/3) or 1,000 fields, or more than 20 responses 1xx came " +
			"before it.", "X (C RESPONSE_HEADERS_TOO_BIG)"},
	{HTTPResponseInvalid, []Phase{Transfer}, "the response body is malformed",
		"A chunk, the compression, or the announced length is wrong while the connection is healthy.", "N"},
	{HTTPRedirectLoop, []Phase{Validate}, "too many redirects", "The redirect limit was reached.", "N"},
	{HTTPRedirectInvalid, []Phase{Validate}, "redirect cannot be followed",
		"The Location header is malformed, or leads to a scheme other than http and https, or makes a request whose " +
			"head exceeds 64 KiB.", "X (C INVALID_REDIRECT)"},
	{HTTPError, []Phase{Validate}, "unexpected HTTP status", "The response's status is not among the valid ones.", "N"},
	{HTTPRateLimited, []Phase{Validate}, "rate limited",
		"The API reports that the client sends too many requests or that it is overloaded: 429, or 503 with " +
			"Retry-After.", "X (Envoy RL)"},
	{HTTPContent, []Phase{Validate}, "the response fails the module's checks",
		"The status is valid, but headers, body, size, HTTP version or TLS policy do not meet the module's rules.",
		"X"},
	{HTTPFailed, []Phase{Request, Processing, Transfer, Validate}, "the HTTP exchange failed",
		"The exchange failed in a way that has no reason of its own while the connection was healthy.", "N"},

	{H2GoAway, exchanged, "the server is going away (HTTP/2 GOAWAY)",
		"The server announced the end of the connection before it answered: a restart, a drain, or a limit of " +
			"requests per connection.", "X"},
	{H2StreamRefused, exchanged, "the server refused the stream (HTTP/2 REFUSED_STREAM)",
		"The server refused the request before processing it: overload, a concurrency limit, or HAProxy without an " +
			"answer of its backend.", "C"},
	{H2Throttled, exchanged, "the server asks to slow down (HTTP/2 ENHANCE_YOUR_CALM)",
		"The server limits the client's request rate, or HAProxy rejects the request by a rule.", "X"},
	{H2StreamReset, exchanged, "the server reset the stream (HTTP/2 RST_STREAM)",
		"The server or a proxy in front of it cancelled the request; the record has the code.", "X (Envoy UR)"},
	{H2PingFailed, exchanged, "HTTP/2 PING not acknowledged", "The connection stopped answering HTTP/2 pings.", "C"},
	{H2ProtocolError, exchanged, "HTTP/2 protocol error",
		"Framing was violated, or the server speaks HTTP/1.1 after negotiating h2.", "C"},

	{QUICTimedOut, []Phase{Connect, Request, Processing, Transfer}, "no answer over QUIC",
		"No answer arrived over UDP: in connect, the server does not speak HTTP/3 there or a firewall drops UDP; " +
			"later, the path went dead.", "X (C QUIC_HANDSHAKE_FAILED)"},
	{QUICRefused, []Phase{Connect}, "QUIC connection refused",
		"ICMP says that nothing listens on the UDP port, or the server answered CONNECTION_REFUSED: no HTTP/3 there, " +
			"a restart, or overload.", "X"},
	{QUICReset, []Phase{TLS, Request, Processing, Transfer}, "QUIC connection reset by the peer",
		"The server has lost the connection's state (stateless reset, RFC 9000 section 10.3) or its port is closed: " +
			"it crashed or restarted, or a load balancer moved the connection.", "X"},
	{QUICClosed, []Phase{TLS, Request, Processing, Transfer}, "QUIC connection closed by the peer",
		"The server closed the connection (CONNECTION_CLOSE) or is going away (GOAWAY) before the exchange was " +
			"complete. The record has its code.", "X"},
	{QUICVersion, []Phase{Connect}, "no common QUIC version",
		"The server speaks none of our versions of QUIC (1 and 2).", "X (C QUIC_INVALID_VERSION)"},
	{QUICProtocolError, []Phase{TLS, Request, Processing, Transfer}, "QUIC protocol error",
		"QUIC or HTTP/3 framing was violated. The record has the code.", "N h3.protocol.error (C QUIC_PROTOCOL_ERROR)"},
	{QUICStreamReset, exchanged, "the server reset the stream (HTTP/3)",
		"The server or a proxy in front of it cancelled the request; the record has the code.", "X"},
	{QUICStalled, []Phase{Request}, "the peer stopped reading",
		"The peer is alive but grants no more data while the request is sent (QUIC flow control): the application " +
			"does not read.", "X"},
	{QUICAddressUnreachable, []Phase{Connect}, "address unreachable",
		"A router answered our datagram with ICMP unreachable or prohibited, or the last hop found no such host. The " +
			"record has the router's address.", "X"},

	{LocalFDExhausted, leaving, "out of file descriptors here",
		"This process or host has no file descriptor left. Raise the limit or find the leak; the target is not at " +
			"fault.", "X (C INSUFFICIENT_RESOURCES)"},
	{LocalPortExhausted, leaving, "out of local ports here",
		"No ephemeral port is free: towards this destination, with too many connections, many of them in TIME_WAIT; " +
			"or for a question to the resolver, with too many UDP sockets.", "X"},
	{LocalNoResources, leaving, "out of memory or buffers here",
		"The kernel has no buffers or memory for the socket (ENOBUFS, ENOMEM).", "X"},
	{LocalNoRoute, leaving, "no route from here", "This host has no route to the address, or its interface is down: " +
		"our network, not the target.", "X (C INTERNET_DISCONNECTED)"},
	{LocalDenied, leaving, "denied on this host", "A local rule forbids it: firewall, prohibit route, seccomp or " +
		"Landlock (origin local), or the exporter's own probe_policy (origin self).", "X (C NETWORK_ACCESS_DENIED)"},
	{LocalOverloaded, own, "the exporter is overloaded",
		"The exporter had no slot, file descriptor, memory or CPU for the probe in time, or could not check the " +
			"response in time: the target's state is unknown. Raise the exporter's limits, or probe fewer targets at " +
			"once.", "X"},

	{AuthTokenTimedOut, []Phase{Request}, "no OAuth2 token in time",
		"The token endpoint returned no token before the deadline: the login service is slow or stuck. The API " +
			"received no request.", "X (RFC 6749 section 5)"},
	{AuthTokenDenied, []Phase{Request}, "the OAuth2 token was denied",
		"The token endpoint refused our credentials (4xx): check client_id, the secret and the scopes. The API " +
			"received no request.", "X (RFC 6749 section 5.2)"},
	{AuthTokenFailed, []Phase{Request}, "the OAuth2 token could not be fetched",
		"The connection to the token endpoint, or the endpoint itself, failed; the record has the details. The API " +
			"received no request.", "X (RFC 6749 section 5)"},

	{PeerFlood, append([]Phase{Resolve}, stream...), "the peer floods us",
		"The peer sent thousands of frames, records, reads or bytes that did not advance the response, and the " +
			"exporter closed the connection to save CPU: a bug of the server or of a proxy in front of it, or an " +
			"attack. The record has what it sent and how much.", "X (RFC 9113 section 10.5)"},

	{ProbeConfig, []Phase{Resolve, Connect, Proxy, Request}, "the probe itself is misconfigured",
		"The target or module cannot work as written: a name that can never resolve, a file of the module that cannot " +
			"be read, a request head of more than 64 KiB.", "X"},
	{Abandoned, always, "abandoned by us", "The client disconnected or the exporter is stopping; this is not the " +
		"target's failure.", "N"},
	{Unknown, always, "unknown failure", "None of the known reasons fits the evidence. Please report it with the " +
		"record of the probe.", "N"},
}
